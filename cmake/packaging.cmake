# cpack -G DEB: one package, with what the program needs at run time found by dpkg-shlibdeps.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pig)
set(CPACK_PACKAGE_VENDOR pig)
set(CPACK_PACKAGE_CONTACT "the pig developers <pig@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "openssh-client, libpq5") # loaded when they are needed, so not found by themselves
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "apt, dpkg, gnupg, gpgv")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/conf/ DESTINATION ${CMAKE_INSTALL_DATADIR}/pig/conf)
include(CPack)
