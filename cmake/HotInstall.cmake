# `cmake --install DIR --prefix FOLDER --strip`: one folder with `hot`, every shared library it needs besides glibc,
# and the licences of all of them, to be copied to a board (scripts/setup --target aarch64). Libraries of libraries are found by the program's old-style RPATH.
set_target_properties(hot PROPERTIES INSTALL_RPATH "$ORIGIN/../lib")
target_link_options(hot PRIVATE "-Wl,--disable-new-dtags")
install(TARGETS hot RUNTIME DESTINATION bin)

# OpenVINO loads these by name: its plug-in for the processor and the reader of our models.
file(GLOB HOT_LOADED_LIBRARIES "${HOT_RUNTIMES}/openvino/libs/libopenvino_*_cpu_plugin.so"
                               "${HOT_RUNTIMES}/openvino/libs/libopenvino_onnx_frontend.so.*"
                               "${HOT_RUNTIMES}/openvino/libs/libopenvino_ir_frontend.so.*")
# Where a name is twice, the first place counts: OpenVINO's own TBB, not Debian's. Debian's alternatives and a few
# packages have folders of their own.
set(HOT_LIBRARY_PLACES "${HOT_RUNTIMES}/openvino/libs" "${HOT_RUNTIMES}/tvm_ffi/lib")
foreach(place IN ITEMS usr/lib/ARCH lib/ARCH usr/lib usr/lib/ARCH/blas usr/lib/ARCH/lapack usr/lib/ogdi)
  string(REPLACE ARCH "${CMAKE_LIBRARY_ARCHITECTURE}" place "${place}")
  list(APPEND HOT_LIBRARY_PLACES "${CMAKE_SYSROOT}/${place}")
endforeach()
install(CODE "
  set(program \"$<TARGET_FILE:hot>\")
  set(loaded \"${HOT_LOADED_LIBRARIES}\")
  set(places \"${HOT_LIBRARY_PLACES}\")
  set(objdump \"${CMAKE_OBJDUMP}\")
  set(sysroot \"${CMAKE_SYSROOT}\")
  set(wheels \"${HOT_RUNTIMES}\")
  set(source \"${CMAKE_SOURCE_DIR}\")
  include(\"${CMAKE_SOURCE_DIR}/cmake/install_libraries.cmake\")
  include(\"${CMAKE_SOURCE_DIR}/cmake/install_licences.cmake\")")

# Completion scripts and the manual page, as the program prints them; a cross-built one can't be asked.
if(NOT CMAKE_CROSSCOMPILING)
  install(CODE "
    set(share \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/share\")
    foreach(page IN ITEMS \"completion bash=bash-completion/completions/hot\" \"completion zsh=zsh/site-functions/_hot\"
                          \"completion fish=fish/vendor_completions.d/hot.fish\" \"man=man/man1/hot.1\")
      string(REGEX REPLACE \"=.*\" \"\" arguments \"\${page}\")
      string(REPLACE \" \" \";\" arguments \"\${arguments}\")
      string(REGEX REPLACE \".*=\" \"\" file \"\${page}\")
      get_filename_component(folder \"\${share}/\${file}\" DIRECTORY)
      file(MAKE_DIRECTORY \"\${folder}\")
      execute_process(COMMAND \"$<TARGET_FILE:hot>\" \${arguments} OUTPUT_FILE \"\${share}/\${file}\" COMMAND_ERROR_IS_FATAL ANY)
    endforeach()")
endif()
