# hot_module(NAME [COMPUTES] [THREADS] SOURCES a.cpp... [DEPS hot::core...] [PRIVATE lib...] [TESTS a_test.cpp...] [TEST_LIBS lib...])
# One static library a folder of src/, alias hot::NAME, and one GoogleTest program hot_NAME_test beside it. COMPUTES: tests
# spend their time in its loops, so that they are optimized with sanitizers, too. THREADS: it has threads and no library
# with threads that ThreadSanitizer can't see into, so that its tests run under it, too: target tsan_tests and, in preset
# tsan, label `threads`.
#
# hot_test(NAME [THREADS] SOURCES a_test.cpp... [LIBS lib...] [LABEL fast|slow|release]): `fast` (default) runs with sanitizers in
# preset dev, `slow` and `release` in preset release only.
# hot_bench(NAME SOURCES a.cpp... [LIBS lib...]): the program hot_bench_NAME behind `scripts/bench NAME`.
# hot_fuzzer(NAME lib...): fuzz/NAME_fuzzer.cpp as the program hot_fuzz_NAME: libFuzzer's in preset fuzz, elsewhere one
# that replays files. Both have the test fuzz.NAME, which replays fuzz/corpus/NAME.
find_package(GTest REQUIRED)
find_package(Threads REQUIRED)
include(GoogleTest)
include(CheckLinkerFlag)
find_program(HOT_CCACHE ccache)
if(HOT_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${HOT_CCACHE}")
endif()
check_linker_flag(CXX -fuse-ld=mold HOT_MOLD)  # cross compilers do not find it

add_library(hot_flags INTERFACE)
target_compile_options(hot_flags INTERFACE
  "$<BUILD_INTERFACE:-Wall;-Wextra;-Wpedantic;-Wno-missing-field-initializers>")
target_compile_features(hot_flags INTERFACE cxx_std_20)
target_include_directories(hot_flags INTERFACE "$<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src>" "$<INSTALL_INTERFACE:include/hot>")
if(HOT_MOLD)
  target_link_options(hot_flags INTERFACE $<BUILD_INTERFACE:-fuse-ld=mold>)
endif()
if(HOT_SANITIZE)
  # Line tables are what the sanitizers' stack traces need. -O0 compiles twice as fast; fuzzers run for hours.
  if(HOT_SANITIZE MATCHES "fuzzer")
    set(level -O1)
  else()
    set(level $<IF:$<BOOL:$<TARGET_PROPERTY:HOT_COMPUTES>>,-O1,-O0>)
  endif()
  target_compile_options(hot_flags INTERFACE -fsanitize=${HOT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
                         -g1 ${level})
  target_link_options(hot_flags INTERFACE -fsanitize=${HOT_SANITIZE})
endif()

add_custom_target(fast_tests)
add_custom_target(release_tests)
add_custom_target(tsan_tests)
add_custom_target(fuzzers)

function(hot_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(hot_bench_${name} ${ARG_SOURCES})
  target_link_libraries(hot_bench_${name} PRIVATE hot_flags ${ARG_LIBS} Threads::Threads)
endfunction()

# ONE_PROCESS: all cases are one ctest test, for suites whose set-up is long; else each case is a test of its own.
function(hot_test name)
  cmake_parse_arguments(ARG "ONE_PROCESS;THREADS" "LABEL" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}")
  target_link_libraries(${name} PRIVATE hot_flags ${ARG_LIBS} GTest::gmock GTest::gtest_main Threads::Threads)
  target_compile_definitions(${name} PRIVATE HOT_SOURCE_DIR="${CMAKE_SOURCE_DIR}" HOT_BINARY_DIR="${CMAKE_BINARY_DIR}")
  if(NOT ARG_LABEL)
    set(ARG_LABEL fast)
  endif()
  if(ARG_LABEL STREQUAL "fast")
    add_dependencies(fast_tests ${name})
  else()
    add_dependencies(release_tests ${name})
  endif()
  if(ARG_THREADS)
    add_dependencies(tsan_tests ${name})
    if(HOT_SANITIZE MATCHES "thread")
      set(ARG_LABEL threads)
    endif()
  endif()
  if(ARG_ONE_PROCESS)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 1800)
  else()
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 600)
  endif()
endfunction()

function(hot_fuzzer name)
  add_executable(hot_fuzz_${name} ${name}_fuzzer.cpp)
  set_target_properties(hot_fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}")
  target_link_libraries(hot_fuzz_${name} PRIVATE hot_flags ${ARGN})
  if(HOT_SANITIZE MATCHES "fuzzer")
    target_link_options(hot_fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(hot_fuzz_${name} PRIVATE replay_main.cpp)
  endif()
  add_dependencies(fuzzers hot_fuzz_${name})
  add_dependencies(fast_tests hot_fuzz_${name})
  add_test(NAME fuzz.${name} COMMAND hot_fuzz_${name} -runs=0 "${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name}")
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fast TIMEOUT 600)
endfunction()

function(hot_module name)
  cmake_parse_arguments(ARG "COMPUTES;THREADS" "" "SOURCES;DEPS;PRIVATE;TESTS;TEST_LIBS" ${ARGN})
  add_library(hot_${name} STATIC ${ARG_SOURCES})
  set_target_properties(hot_${name} PROPERTIES HOT_COMPUTES ${ARG_COMPUTES})
  add_library(hot::${name} ALIAS hot_${name})
  target_link_libraries(hot_${name} PUBLIC hot_flags ${ARG_DEPS} PRIVATE ${ARG_PRIVATE})
  if(ARG_TESTS)
    if(ARG_THREADS)
      set(threads THREADS)
    endif()
    hot_test(hot_${name}_test ${threads} SOURCES ${ARG_TESTS} LIBS hot::${name} ${ARG_TEST_LIBS})
  endif()
endfunction()
