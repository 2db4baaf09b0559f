# Writes the public headers into a folder, as they are installed:
#   cmake -D SOURCE=<repository> -D VERSION_HEADER=<version.h> -D DESTINATION=<folder> -P headers.cmake
#
# Public are imago.h, the contracts of the kernels (kernels/<family>/<family>.h) and whatever these
# include; so what is public compiles, and cpu_*.h, engines.h, cases.h, the emulator and the .cuh
# files stay at home. In the source tree a header says "nn/module.h"; outside, where every second
# project has a folder nn, data or models, it says <imago/nn/module.h>.
cmake_minimum_required(VERSION 3.22)

set(include "#include \"((tensor|kernels|autograd|nn|data|models)/[^\"]+)\"")

set(queue imago.h)
file(GLOB contracts RELATIVE ${SOURCE} ${SOURCE}/kernels/*/*.h)
foreach(header ${contracts})
  if(header MATCHES "^kernels/([^/]+)/([^/]+)\\.h$" AND CMAKE_MATCH_1 STREQUAL CMAKE_MATCH_2)
    list(APPEND queue ${header})
  endif()
endforeach()

# Writes only what differs, so that nothing is compiled again for its date.
function(write_header header text)
  set(old "")
  if(EXISTS ${DESTINATION}/${header})
    file(READ ${DESTINATION}/${header} old)
  endif()
  if(NOT old STREQUAL text)
    file(WRITE ${DESTINATION}/${header} "${text}")
  endif()
endfunction()

set(public version.h)
file(READ ${VERSION_HEADER} text)
write_header(version.h "${text}")
while(queue)
  list(POP_FRONT queue header)
  if(header IN_LIST public)
    continue()
  endif()
  list(APPEND public ${header})
  file(READ ${SOURCE}/${header} text)
  string(REGEX MATCHALL "${include}" lines "${text}")
  foreach(line ${lines})
    string(REGEX REPLACE "${include}" "\\1" included "${line}")
    list(APPEND queue ${included})
  endforeach()
  string(REGEX REPLACE "${include}" "#include <imago/\\1>" text "${text}")
  write_header(${header} "${text}")
endwhile()

file(GLOB_RECURSE present RELATIVE ${DESTINATION} ${DESTINATION}/*)
foreach(header ${present})
  if(NOT header IN_LIST public)
    file(REMOVE ${DESTINATION}/${header})
  endif()
endforeach()
