# cmake -DOUT=assets.cpp -DHEADER=report/assets.h -DNAMES="kA;kB" -DFILES="a;b" -P embed.cmake
# Writes each file into one C++ source as a std::string_view, which the header declares; files of one name, one behind the
# other, are one. Source map references are dropped: a browser would load them.
set(code "#include \"${HEADER}\"\n\nnamespace hot {\n")
foreach(name file IN ZIP_LISTS NAMES FILES)
  file(READ "${file}" text)
  string(REGEX REPLACE "//# sourceMappingURL=[^\n]*" "" text "${text}")
  if(NOT name STREQUAL last)
    string(APPEND code "${end}\nconst std::string_view ${name} =")
  endif()
  string(APPEND code " R\"hot_asset(${text})hot_asset\"")  # the compiler joins strings that follow each other
  set(last "${name}")
  set(end ";\n")
endforeach()
string(APPEND code "${end}")
file(WRITE "${OUT}" "${code}\n}  // namespace hot\n")
