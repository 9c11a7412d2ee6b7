# pig_embed(TARGET FILE SYMBOL): FILE becomes `const unsigned char SYMBOL[]` and `const unsigned long SYMBOL_len` of TARGET. Made by
# CMake itself (this file, run as a script), so that the build needs no other tool.
if(CMAKE_SCRIPT_MODE_FILE)
	file(READ ${IN} hex HEX)
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
	string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
	string(LENGTH "${hex}" n)
	math(EXPR n "${n} / 2")
	file(WRITE ${OUT} "extern const unsigned char ${SYMBOL}[];\nextern const unsigned long ${SYMBOL}_len;\n"
		"const unsigned char ${SYMBOL}[] = {\n${bytes}0\n};\nconst unsigned long ${SYMBOL}_len = ${n};\n")
	return()
endif()

set(PIG_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE} CACHE INTERNAL "")
function(pig_embed target file symbol)
	set(out ${CMAKE_CURRENT_BINARY_DIR}/embed/${symbol}.c)
	add_custom_command(OUTPUT ${out} DEPENDS ${file} ${PIG_EMBED_SCRIPT} VERBATIM
		COMMAND ${CMAKE_COMMAND} -DIN=${file} -DOUT=${out} -DSYMBOL=${symbol} -P ${PIG_EMBED_SCRIPT})
	target_sources(${target} PRIVATE ${out})
endfunction()
