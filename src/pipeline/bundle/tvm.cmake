# What the network runs in: nothing, it is machine code.
set(runtime ${CMAKE_DL_LIBS})
