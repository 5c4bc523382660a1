# `cpack --config build/release/CPackConfig.cmake -B dist`: hot_VERSION_ARCH.deb and hot-agent_VERSION_all.deb, of the
# components tool and agent (HotInstall.cmake). Whose libraries Debian has are dependencies; no library of others is inside.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hot)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_CONTACT "the authors of HOT <hot@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)  # /etc is not below /usr
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL tool agent)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(packaging "${CMAKE_SOURCE_DIR}/packaging")

set(CPACK_DEBIAN_TOOL_PACKAGE_NAME hot)
set(CPACK_DEBIAN_TOOL_DESCRIPTION "hardware-aware model optimization tool
Measures building blocks of convolutional networks on a device, lets an integer
program choose among millions of networks, trains the best and quantizes them.")
set(CPACK_DEBIAN_TOOL_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${HOT_RUNTIMES}/openvino/libs" "${HOT_RUNTIMES}/tvm_ffi/lib"
    "${HOT_RUNTIMES}/torch/lib" "${HOT_RUNTIMES}/nvidia/cu13/lib")
set(CPACK_DEBIAN_TOOL_PACKAGE_DEPENDS "python3 (>= 3.11), python3 (<< 3.12), python3-venv, ca-certificates")
set(CPACK_DEBIAN_TOOL_PACKAGE_RECOMMENDS glpk-utils)
set(CPACK_DEBIAN_TOOL_PACKAGE_CONTROL_EXTRA "${packaging}/tool/prerm" "${packaging}/tool/postrm")

set(CPACK_DEBIAN_AGENT_PACKAGE_NAME hot-agent)
set(CPACK_DEBIAN_AGENT_DESCRIPTION "device agent of the hardware-aware model optimization tool
Lets studies elsewhere measure networks on this machine: a service with a user
of its own that queues jobs and runs each as a process of its own.")
set(CPACK_DEBIAN_AGENT_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_AGENT_PACKAGE_DEPENDS "hot (= ${PROJECT_VERSION}), systemd")
set(CPACK_DEBIAN_AGENT_PACKAGE_CONTROL_EXTRA "${packaging}/agent/postinst" "${packaging}/agent/prerm"
    "${packaging}/agent/postrm" "${CMAKE_BINARY_DIR}/conffiles")
file(WRITE "${CMAKE_BINARY_DIR}/conffiles" "/etc/default/hot-agent\n")
include(CPack)
