# Warnings are errors, in our code. _GNU_SOURCE: Linux calls are ours to use; the language stays C11.
add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wvla -Werror
	-fno-strict-aliasing -fstack-protector-strong)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	add_compile_options(-Wno-format-truncation) # snprintf into a bounded message is meant to cut
endif()
if(PIG_ASAN OR PIG_FUZZ)
	add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g)
	add_link_options(-fsanitize=address,undefined)
else()
	add_compile_options($<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()
if(PIG_FUZZ)
	add_compile_options(-fsanitize=fuzzer-no-link -O1) # three times as many inputs as without
endif()
if(PIG_ARENA_MALLOC)
	add_compile_definitions(PIG_ARENA_MALLOC)
endif()
