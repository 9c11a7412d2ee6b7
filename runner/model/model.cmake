# libpq's header alone: the library is loaded when a database is named (sql.c)
pkg_check_modules(LIBPQ REQUIRED libpq)
target_include_directories(pig_model PRIVATE ${LIBPQ_INCLUDE_DIRS})
