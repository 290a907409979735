# Four functions build everything: tsunagi_library, tsunagi_test, tsunagi_binary, tsunagi_proto.
option(TSUNAGI_TESTS "Build the tests" ON)
option(TSUNAGI_BENCH "Build the benchmarks" OFF)
option(TSUNAGI_FUZZ "Build the fuzz targets for libFuzzer (clang) instead of the tests" OFF)
set(TSUNAGI_SANITIZE "" CACHE STRING "Sanitizers for every target, e.g. address,undefined")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()
if(TSUNAGI_SANITIZE)
  add_compile_options(-fsanitize=${TSUNAGI_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TSUNAGI_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 takes a std::optional that was checked for uninitialised once sanitizers have changed the code.
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
endif()

add_library(tsunagi_warnings INTERFACE)
# Clang counts signedness to -Wconversion, GCC does not: both check the same here.
target_compile_options(tsunagi_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Werror
  $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>)
target_include_directories(tsunagi_warnings INTERFACE ${PROJECT_SOURCE_DIR})

# `products`: every binary that is run by people. `generated`: sources that protoc writes.
add_custom_target(products)

# tsunagi_library(name SRCS a.cc … DEPS tsunagi::x …): target tsunagi_<name>, alias tsunagi::<name>.
function(tsunagi_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_library(tsunagi_${name} STATIC ${ARG_SRCS})
  add_library(tsunagi::${name} ALIAS tsunagi_${name})
  target_include_directories(tsunagi_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(tsunagi_${name} PUBLIC ${ARG_DEPS} PRIVATE tsunagi_warnings)
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  set_property(GLOBAL APPEND PROPERTY "TSUNAGI_LIBRARIES_OF_${folder}" tsunagi::${name})
endfunction()

# tsunagi_test(name SRCS a_test.cc … DEPS … [PROPERTIES …]): one binary, one ctest test per GoogleTest case.
function(tsunagi_test name)
  if(NOT TSUNAGI_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;PROPERTIES" ${ARGN})
  add_executable(${name}_test ${ARG_SRCS})
  # The path of this checkout goes to the sources that name it only: it would keep the others from the compiler cache.
  foreach(source ${ARG_SRCS})
    file(STRINGS ${source} uses REGEX "TSUNAGI_SOURCE_DIR|tests/support/shared_data.h|/stamping_(server|for_test).h")
    if(uses)
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS TSUNAGI_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    endif()
  endforeach()
  target_link_libraries(${name}_test PRIVATE ${ARG_DEPS} tsunagi::test_main GTest::gmock tsunagi_warnings)
  gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST TEST_PREFIX "${name}/"
    PROPERTIES TIMEOUT 120 ${ARG_PROPERTIES})
endfunction()

# tsunagi_binary(name SRCS … DEPS …): an executable of the product, placed in bin/.
function(tsunagi_binary name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} tsunagi_warnings)
  if(NOT TSUNAGI_SANITIZE)
    target_link_libraries(${name} PRIVATE tsunagi_allocator)
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  add_dependencies(products ${name})
endfunction()

# tsunagi_proto(): messages of every proto into tsunagi::protos, service stubs into tsunagi::rpc.
function(tsunagi_proto)
  cmake_parse_arguments(ARG "" "" "MESSAGES;SERVICES" ${ARGN})
  set(gen ${PROJECT_BINARY_DIR}/gen)
  file(MAKE_DIRECTORY ${gen})
  foreach(file ${ARG_MESSAGES} ${ARG_SERVICES})
    string(REPLACE ".proto" "" base ${file})
    set(outputs ${gen}/${base}.pb.cc ${gen}/${base}.pb.h)
    set(plugin "")
    if(file IN_LIST ARG_SERVICES)
      list(APPEND outputs ${gen}/${base}.grpc.pb.cc ${gen}/${base}.grpc.pb.h)
      set(plugin --grpc_out=${gen} --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>)
      list(APPEND rpc_sources ${gen}/${base}.grpc.pb.cc)
    endif()
    list(APPEND message_sources ${gen}/${base}.pb.cc)
    list(APPEND generated ${outputs})
    add_custom_command(OUTPUT ${outputs}
      COMMAND protobuf::protoc -I ${CMAKE_CURRENT_SOURCE_DIR} --cpp_out=${gen} ${plugin} ${CMAKE_CURRENT_SOURCE_DIR}/${file}
      DEPENDS ${file} VERBATIM)
  endforeach()
  add_custom_target(generated DEPENDS ${generated})
  add_library(tsunagi_protos STATIC ${message_sources})
  add_library(tsunagi::protos ALIAS tsunagi_protos)
  target_include_directories(tsunagi_protos SYSTEM PUBLIC ${gen})
  target_link_libraries(tsunagi_protos PUBLIC protobuf::libprotobuf)
  add_library(tsunagi_rpc STATIC ${rpc_sources})
  add_library(tsunagi::rpc ALIAS tsunagi_rpc)
  target_link_libraries(tsunagi_rpc PUBLIC tsunagi_protos gRPC::grpc++)
endfunction()
