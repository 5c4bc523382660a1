# OpenVINO and LibTorch come from Python wheels that scripts/setup puts into HOT_VENV.
file(GLOB HOT_SITE_PACKAGES "${HOT_VENV}/lib/python3*/site-packages")
if(NOT HOT_SITE_PACKAGES)
  message(FATAL_ERROR "No Python environment in ${HOT_VENV}: run scripts/setup first")
endif()
set(HOT_RUNTIMES "${HOT_SITE_PACKAGES}")  # what is linked; elsewhere the packages serve as tools, for every processor
if(CMAKE_CROSSCOMPILING)
  set(HOT_RUNTIMES "${HOT_VENV}/${CMAKE_SYSTEM_PROCESSOR}")
endif()
# What libtorch_cpu loads besides (HotTorch.cmake), in programs of the build tree; installed ones have a path of their own.
set(HOT_TORCH_CUDA_LIBS "${HOT_SITE_PACKAGES}/nvidia/cu13/lib")
if(HOT_TRAIN)
  set(CMAKE_BUILD_RPATH "${HOT_TORCH_CUDA_LIBS}")
endif()
set(OpenVINO_DIR "${HOT_RUNTIMES}/openvino/cmake")
find_package(OpenVINO REQUIRED COMPONENTS Runtime)

# The runtime of compiled TVM networks: headers and one library of the apache-tvm-ffi wheel. The compiler (apache-tvm) is
# Python's alone, see scripts/setup --with-tvm.
set(HOT_TVM_FFI_ROOT "${HOT_RUNTIMES}/tvm_ffi")
add_library(hot_tvm_ffi SHARED IMPORTED GLOBAL)
set_target_properties(hot_tvm_ffi PROPERTIES IMPORTED_LOCATION "${HOT_TVM_FFI_ROOT}/lib/libtvm_ffi.so")
target_include_directories(hot_tvm_ffi SYSTEM INTERFACE "${HOT_TVM_FFI_ROOT}/include"
                           "${HOT_TVM_FFI_ROOT}/3rdparty/dlpack/include")
