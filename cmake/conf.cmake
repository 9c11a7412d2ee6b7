# The templates of `pig configure`: found by the build tree's pig as by an installed one.
file(GLOB_RECURSE conf CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/conf/*.yml)
foreach(f IN LISTS conf)
	configure_file(${PROJECT_SOURCE_DIR}/${f} ${PROJECT_BINARY_DIR}/share/pig/${f} COPYONLY)
endforeach()
