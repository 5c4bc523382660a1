# What the network runs in: OpenVINO, whose wheel has what CMake needs.
#   cmake -S example -B build -DOpenVINO_DIR=$(python3 -c "import openvino; print(openvino.__path__[0])")/cmake
find_package(OpenVINO QUIET COMPONENTS Runtime)
if(NOT OpenVINO_FOUND)
  message(FATAL_ERROR "OpenVINO was not found: -DOpenVINO_DIR=DIR, the folder cmake/ of its wheel (../README.md)")
endif()
set(runtime openvino::runtime)
