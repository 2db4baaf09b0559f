# What another project sees of Imago: the public headers, and after installation the package that
# find_package(imago) and pkg-config find.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# The public headers as they are installed (headers.cmake says which those are).
set(imago_headers ${PROJECT_BINARY_DIR}/package/include)
set(header_globs ${imago_folders})
list(TRANSFORM header_globs PREPEND ${PROJECT_SOURCE_DIR}/)
list(TRANSFORM header_globs APPEND /*.h)
file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${header_globs})
set(version_header ${PROJECT_BINARY_DIR}/generated/imago/version.h)
add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/package/headers.stamp
  COMMAND ${CMAKE_COMMAND} -D SOURCE=${PROJECT_SOURCE_DIR} -D VERSION_HEADER=${version_header}
          -D DESTINATION=${imago_headers}/imago -P ${CMAKE_CURRENT_LIST_DIR}/headers.cmake
  COMMAND ${CMAKE_COMMAND} -E touch ${PROJECT_BINARY_DIR}/package/headers.stamp
  DEPENDS ${headers} imago.h ${version_header} ${CMAKE_CURRENT_LIST_DIR}/headers.cmake
  COMMENT "Generating the public headers" VERBATIM)
add_custom_target(imago_headers ALL DEPENDS ${PROJECT_BINARY_DIR}/package/headers.stamp)

foreach(folder ${imago_folders})
  target_include_directories(imago_${folder} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  if(NOT PROJECT_IS_TOP_LEVEL)
    # The project above compiles with these headers, not with those of the source tree.
    target_include_directories(imago_${folder} INTERFACE $<BUILD_INTERFACE:${imago_headers}>)
    add_dependencies(imago_${folder} imago_headers)
  endif()
endforeach()
if(IMAGO_SANITIZE)
  target_link_options(imago_tensor INTERFACE -fsanitize=${IMAGO_SANITIZE})
endif()

if(NOT IMAGO_INSTALL)
  return()
endif()

# One set of targets for each component, so that a program which needs tensors only does not need
# the libraries that images need.
set(imago_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/imago)
foreach(folder ${imago_folders})
  install(TARGETS imago_${folder} EXPORT imago_${folder} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT imago_${folder} NAMESPACE imago:: FILE imago_${folder}.cmake DESTINATION ${imago_cmake_dir})
endforeach()
install(DIRECTORY ${imago_headers}/imago DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# What the static libraries need to be linked, as imago_find() noted it.
get_property(imago_dependencies GLOBAL PROPERTY IMAGO_NEEDS_)
foreach(folder ${imago_folders})
  get_property(needs GLOBAL PROPERTY IMAGO_NEEDS_${folder})
  if(needs)
    string(APPEND imago_dependencies "if(\"${folder}\" IN_LIST _imago_wanted)\n${needs}endif()\n")
  endif()
endforeach()
configure_file(${CMAKE_CURRENT_LIST_DIR}/imagoConfig.cmake.in ${PROJECT_BINARY_DIR}/package/imagoConfig.cmake @ONLY)
# Before 1.0 a minor version may break programs, see version.h.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatibility SameMinorVersion)
else()
  set(compatibility SameMajorVersion)
endif()
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/imagoConfigVersion.cmake
  COMPATIBILITY ${compatibility})
install(FILES ${PROJECT_BINARY_DIR}/package/imagoConfig.cmake
  ${PROJECT_BINARY_DIR}/package/imagoConfigVersion.cmake ${CMAKE_CURRENT_LIST_DIR}/Findstb.cmake
  DESTINATION ${imago_cmake_dir})

# pkg-config: all libraries, and what these need. The prefix is where the file lies.
file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" up "${up}")
set(needs -lhwy -lstb -lz)
if(IMAGO_OPENMP)
  list(APPEND needs ${OpenMP_CXX_FLAGS})
endif()
if(IMAGO_CUDA STREQUAL "ON")
  list(APPEND needs -lcudart_static -ldl -lrt)
elseif(IMAGO_CUDA STREQUAL "EMULATED")
  list(APPEND needs -lboost_context)
endif()
if(IMAGO_SANITIZE)
  list(APPEND needs -fsanitize=${IMAGO_SANITIZE})
endif()
list(JOIN needs " " needs)
configure_file(${CMAKE_CURRENT_LIST_DIR}/imago.pc.in ${PROJECT_BINARY_DIR}/package/imago.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/imago.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
