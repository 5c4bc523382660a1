# cmake -DOUT=assets.cpp -DHEADER=report/assets.h -DNAMES="kA;kB" -DFILES="a;b" -P embed.cmake
# Writes each file into one C++ source as a std::string_view, which the header declares. Source map references are dropped: a browser would load them.
set(code "#include \"${HEADER}\"\n\nnamespace hot {\n")
foreach(name file IN ZIP_LISTS NAMES FILES)
  file(READ "${file}" text)
  string(REGEX REPLACE "//# sourceMappingURL=[^\n]*" "" text "${text}")
  string(APPEND code "\nconst std::string_view ${name} = R\"hot_asset(${text})hot_asset\";\n")
endforeach()
file(WRITE "${OUT}" "${code}\n}  // namespace hot\n")
