# The remote loop travels inside the executable.
include(${PROJECT_SOURCE_DIR}/cmake/embed.cmake)
pig_embed(pig_host ${CMAKE_CURRENT_LIST_DIR}/boot.sh boot_sh)
