# `cmake --install DIR --prefix FOLDER [--component NAME]`; packaging/README.md has the layout.
# tool: hot and hot-train with what belongs to them. agent: the service. development: static libraries and headers for
# find_package(hot). board, only when asked for: one folder with `hot`, every shared library it needs besides glibc, and
# the licences of all of them, to be copied to a board (scripts/setup --target aarch64).

# Libraries lie in lib/ of a board's folder, elsewhere where hot-runtimes puts them. Libraries of libraries are found by the
# program's old-style RPATH.
set(packages_of_python "$ORIGIN/../venv/lib/python3.11/site-packages")
set_target_properties(hot PROPERTIES INSTALL_RPATH
  "$ORIGIN/../lib;${packages_of_python}/openvino/libs;${packages_of_python}/tvm_ffi/lib")
target_link_options(hot PRIVATE "-Wl,--disable-new-dtags")
install(TARGETS hot RUNTIME DESTINATION lib/hot/bin COMPONENT tool)
if(TARGET hot-train)
  set_target_properties(hot-train PROPERTIES INSTALL_RPATH
    "${packages_of_python}/torch/lib;${packages_of_python}/nvidia/cu13/lib")
  install(TARGETS hot-train RUNTIME DESTINATION lib/hot/bin COMPONENT tool)
endif()

# ---- tool ----
set(packaging "${CMAKE_SOURCE_DIR}/packaging")
file(GLOB locks "${CMAKE_SOURCE_DIR}/python/*.lock")
list(FILTER locks EXCLUDE REGEX "/(bench-.*|browser|docs)[.]lock$")
install(PROGRAMS "${packaging}/hot" DESTINATION bin COMPONENT tool)
install(PROGRAMS "${packaging}/hot-runtimes" DESTINATION sbin COMPONENT tool)
install(FILES "${CMAKE_SOURCE_DIR}/scripts/runtimes.sh" DESTINATION lib/hot COMPONENT tool)
install(FILES ${locks} DESTINATION lib/hot/locks COMPONENT tool)
install(DIRECTORY "${CMAKE_SOURCE_DIR}/python/hot_bridge" DESTINATION lib/hot/share/hot/python COMPONENT tool
        PATTERN __pycache__ EXCLUDE)
install(FILES "${packaging}/README.Debian" "${packaging}/copyright" DESTINATION share/doc/hot COMPONENT tool)
install(DIRECTORY "${CMAKE_SOURCE_DIR}/examples" DESTINATION share/doc/hot COMPONENT tool)
install(CODE "
  set(program \"$<TARGET_FILE:hot>\")
  set(changelog \"${CMAKE_SOURCE_DIR}/CHANGELOG.md\")
  set(cross \"${CMAKE_CROSSCOMPILING}\")
  include(\"${CMAKE_SOURCE_DIR}/cmake/install_pages.cmake\")" COMPONENT tool)

# ---- agent ----
install(FILES "${packaging}/hot-agent.service" DESTINATION lib/systemd/system COMPONENT agent)
install(FILES "${packaging}/hot-agent.sysusers" DESTINATION lib/sysusers.d RENAME hot-agent.conf COMPONENT agent)
install(FILES "${packaging}/README.Debian" "${packaging}/copyright" DESTINATION share/doc/hot-agent COMPONENT agent)
install(CODE "
  set(etc \"\${CMAKE_INSTALL_PREFIX}/etc\")
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
    set(etc /etc)
  endif()
  file(INSTALL \"${packaging}/hot-agent.default\" DESTINATION \"\${etc}/default\" RENAME hot-agent)" COMPONENT agent)

# ---- development: what reads graphs and tables and searches; it needs neither OpenVINO nor LibTorch ----
set(modules core graph blocks models store search)
foreach(module IN LISTS modules)
  set_target_properties(hot_${module} PROPERTIES EXPORT_NAME ${module})
  install(TARGETS hot_${module} EXPORT hot ARCHIVE DESTINATION lib COMPONENT development)
  install(DIRECTORY "${CMAKE_SOURCE_DIR}/src/${module}" DESTINATION include/hot COMPONENT development
          FILES_MATCHING PATTERN "*.h" PATTERN testing EXCLUDE)
endforeach()
install(TARGETS hot_flags EXPORT hot)
if(HOT_POSTGRES)
  install(TARGETS hot_libpq EXPORT hot)
endif()
install(EXPORT hot NAMESPACE hot:: DESTINATION lib/cmake/hot FILE hotTargets.cmake COMPONENT development)
include(CMakePackageConfigHelpers)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/hotConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_SOURCE_DIR}/cmake/hotConfig.cmake" "${CMAKE_BINARY_DIR}/hotConfigVersion.cmake"
        DESTINATION lib/cmake/hot COMPONENT development)

# ---- board ----
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
install(TARGETS hot RUNTIME DESTINATION bin COMPONENT board EXCLUDE_FROM_ALL)
install(CODE "
  set(program \"$<TARGET_FILE:hot>\")
  set(loaded \"${HOT_LOADED_LIBRARIES}\")
  set(places \"${HOT_LIBRARY_PLACES}\")
  set(objdump \"${CMAKE_OBJDUMP}\")
  set(sysroot \"${CMAKE_SYSROOT}\")
  set(wheels \"${HOT_RUNTIMES}\")
  set(source \"${CMAKE_SOURCE_DIR}\")
  include(\"${CMAKE_SOURCE_DIR}/cmake/install_libraries.cmake\")
  include(\"${CMAKE_SOURCE_DIR}/cmake/install_licences.cmake\")" COMPONENT board EXCLUDE_FROM_ALL)
