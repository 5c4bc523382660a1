# Run by cmake --install (HotInstall.cmake), component tool: what `program` prints itself (completion scripts, the manual
# page; a cross-built one can't be asked), the changelog, licences of what is compiled in, and the link to hot-runtimes's folder.
cmake_minimum_required(VERSION 3.25)
set(folder "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")
set(zsh "site-functions")
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")  # a package of Debian
  set(zsh "vendor-completions")
  file(CREATE_LINK /var/lib/hot/venv "${folder}/lib/hot/venv" SYMBOLIC)
endif()

# print(FILE ARGUMENT...)
function(print file)
  get_filename_component(parent "${folder}/share/${file}" DIRECTORY)
  file(MAKE_DIRECTORY "${parent}")
  execute_process(COMMAND "${program}" ${ARGN} OUTPUT_FILE "${folder}/share/${file}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# compress(FILE): as Debian wants pages, with no time in it.
function(compress file)
  execute_process(COMMAND gzip -9nf "${folder}/share/${file}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

if(NOT cross)
  print(bash-completion/completions/hot completion bash)
  print(zsh/${zsh}/_hot completion zsh)
  print(fish/vendor_completions.d/hot.fish completion fish)
  print(man/man1/hot.1 man)
  compress(man/man1/hot.1)
endif()
file(COPY_FILE "${changelog}" "${folder}/share/doc/hot/changelog")
compress(doc/hot/changelog)
foreach(package IN ITEMS libcli11-dev nlohmann-json3-dev libjs-chart.js)
  file(COPY "/usr/share/doc/${package}/copyright" DESTINATION "${folder}/share/doc/hot/licences/${package}")
endforeach()
