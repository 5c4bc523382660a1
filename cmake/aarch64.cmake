# Toolchain file for 64-bit Arm Linux (preset aarch64): Debian's cross compiler against the packages of Debian 12 arm64
# that scripts/setup --target aarch64 unpacks. Programs that the build runs (protoc) are this machine's; tests that it
# built run under qemu.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
get_filename_component(CMAKE_SYSROOT "${CMAKE_CURRENT_LIST_DIR}/../.sysroot/aarch64" ABSOLUTE)
if(NOT EXISTS "${CMAKE_SYSROOT}/usr/include")
  message(FATAL_ERROR "No packages for Arm in ${CMAKE_SYSROOT}: run scripts/setup --target aarch64 first")
endif()
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${CMAKE_SYSROOT}")
set(libraries "/usr/lib/aarch64-linux-gnu")
set(ENV{PKG_CONFIG_LIBDIR} "${CMAKE_SYSROOT}${libraries}/pkgconfig")
# OpenCV needs two of Debian's alternatives, which are links that no package has.
set(CMAKE_EXE_LINKER_FLAGS_INIT
    "-Wl,-rpath-link,${CMAKE_SYSROOT}${libraries}/blas:${CMAKE_SYSROOT}${libraries}/lapack")
# An Armv8.2 core with dot products, as boards have.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -cpu neoverse-n1 -L "${CMAKE_SYSROOT}"
    -E "LD_LIBRARY_PATH=${libraries}/blas:${libraries}/lapack")
