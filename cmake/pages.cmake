# The manual page and bash's completion, made by the program itself from its tables and those of the modules built with it.
get_property(PIG_MODULES DIRECTORY ${PROJECT_SOURCE_DIR}/plugins PROPERTY SUBDIRECTORIES)
set(modules "")
foreach(dir IN LISTS PIG_MODULES)
	get_filename_component(name ${dir} NAME)
	list(APPEND modules ${name})
endforeach()
set(pages ${PROJECT_BINARY_DIR}/pages)
file(MAKE_DIRECTORY ${pages})
add_custom_command(OUTPUT ${pages}/pig.1 ${pages}/pig DEPENDS pig ${modules} VERBATIM
	COMMAND ${CMAKE_COMMAND} -E env HOME=${pages} ASAN_OPTIONS=detect_leaks=0 sh -c
		"\"$1\" doc --man --plugin-dir \"$2\" >pig.1 && \"$1\" completion bash >pig" sh $<TARGET_FILE:pig> ${PROJECT_BINARY_DIR}/plugins
	WORKING_DIRECTORY ${pages})
add_custom_target(pages ALL DEPENDS ${pages}/pig.1 ${pages}/pig)
install(FILES ${pages}/pig.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${pages}/pig DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
