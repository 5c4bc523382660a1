# OpenVINO and LibTorch come from Python wheels that scripts/setup puts into HOT_VENV.
file(GLOB HOT_SITE_PACKAGES "${HOT_VENV}/lib/python3*/site-packages")
if(NOT HOT_SITE_PACKAGES)
  message(FATAL_ERROR "No Python environment in ${HOT_VENV}: run scripts/setup first")
endif()
set(OpenVINO_DIR "${HOT_SITE_PACKAGES}/openvino/cmake")
find_package(OpenVINO REQUIRED COMPONENTS Runtime)
