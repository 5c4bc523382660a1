# LibTorch is the headers and CPU libraries inside the torch wheel (installed without its dependencies). `hot_torch` links
# libtorch_cpu and libc10 only; libtorch_cpu in turn loads the CUDA runtime and CUPTI wheels beside it (it never needs a GPU).
# Only src/train may use it.
set(HOT_TORCH_ROOT "${HOT_SITE_PACKAGES}/torch")
if(NOT EXISTS "${HOT_TORCH_ROOT}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "No torch wheel in ${HOT_SITE_PACKAGES}: run scripts/setup first, or configure with -DHOT_TRAIN=OFF")
endif()

# The wheel's choice of std::string has to be ours too. libc10 is small and has it in its symbols.
file(STRINGS "${HOT_TORCH_ROOT}/lib/libc10.so" hot_torch_new_abi REGEX "B5cxx11" LIMIT_COUNT 1)
if(hot_torch_new_abi)
  set(HOT_TORCH_ABI 1)
else()
  set(HOT_TORCH_ABI 0)
endif()

foreach(lib torch_cpu c10)
  add_library(hot_${lib} SHARED IMPORTED)
  set_target_properties(hot_${lib} PROPERTIES IMPORTED_LOCATION "${HOT_TORCH_ROOT}/lib/lib${lib}.so")
endforeach()
add_library(hot_torch INTERFACE)
target_include_directories(hot_torch SYSTEM INTERFACE "${HOT_TORCH_ROOT}/include"
                           "${HOT_TORCH_ROOT}/include/torch/csrc/api/include")
target_compile_definitions(hot_torch INTERFACE _GLIBCXX_USE_CXX11_ABI=${HOT_TORCH_ABI})
target_link_libraries(hot_torch INTERFACE hot_torch_cpu hot_c10)
# Old-style RPATH, because the loader uses it for libraries of libraries too.
target_link_options(hot_torch INTERFACE "-Wl,--disable-new-dtags" "-Wl,-rpath-link,${HOT_TORCH_CUDA_LIBS}")
