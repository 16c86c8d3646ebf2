include(CMakeFindDependencyMacro)
find_dependency(nlohmann_json 3.10)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/polystoreTargets.cmake)
