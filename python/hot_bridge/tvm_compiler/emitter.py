"""A thin builder over TensorIR: loops, vectors and registers, written out one statement after the other."""

import tvm
from tvm import tirx
from tvm.ir import PointerType, PrimType


def const(value, dtype):
    return tirx.const(value, dtype)


def splat(value, lanes):
    return tirx.Broadcast(value, lanes)


def splat_const(value, dtype, lanes):
    return tirx.Broadcast(tirx.const(value, dtype), lanes)


def vector(dtype, lanes):
    return dtype if lanes == 1 else f"{dtype}x{lanes}"


def larger(a, b):
    return tirx.Max(a, b)


def smaller(a, b):
    return tirx.Min(a, b)


def sequence(statements):
    if not statements:
        return tirx.Evaluate(tirx.const(0, "int32"))
    return statements[0] if len(statements) == 1 else tirx.SeqStmt(statements)


class _Block:
    """`with` one statement's body: closes by emitting wrap(body)."""

    def __init__(self, emitter, wrap, value=None):
        self.emitter, self.wrap, self.value = emitter, wrap, value

    def __enter__(self):
        self.emitter.stack.append([])
        return self.value

    def __exit__(self, kind, fault, trace):
        body = self.emitter.stack.pop()
        if kind is None:
            self.emitter.add(self.wrap(sequence(body)))


class Registers:
    """Vectors that LLVM keeps in registers: each is a buffer of its own with one constant index."""

    def __init__(self, emitter, count, dtype, lanes):
        self.emitter, self.type = emitter, vector(dtype, lanes)
        self.buffers = [tirx.decl_buffer((lanes,), dtype, "register") for _ in range(count)]
        for buffer in self.buffers:
            emitter.add(tirx.AllocBuffer(buffer))

    def __getitem__(self, index):
        return self.buffers[index].vload([0], self.type)

    def __setitem__(self, index, value):
        self.emitter.add(self.buffers[index].vstore([0], value))


class Emitter:
    """One kernel: a private function of pointers that main calls."""

    def __init__(self):
        self.stack = [[]]
        self.params = []

    def add(self, statement):
        self.stack[-1].append(statement)

    def pointer(self, name, dtype):
        """A parameter. `view` gives buffers on it."""
        parameter = tirx.Var(name, PointerType(PrimType(dtype)))
        self.params.append(parameter)
        return parameter

    def view(self, pointer, dtype, size):
        buffer = tirx.decl_buffer((size,), dtype, pointer.name)
        self.add(tirx.DeclBuffer(buffer, data=pointer))
        return buffer

    def loop(self, extent):
        """`with emitter.loop(n) as i:`; no loop, and i = 0, where n is 1."""
        if extent == 1:
            return _Block(self, lambda body: body, 0)
        index = tirx.Var("i", "int32")
        return _Block(self, lambda body: tirx.For(index, 0, extent, tirx.ForKind.SERIAL, body), index)

    def when(self, condition):
        return _Block(self, lambda body: tirx.IfThenElse(condition, body, None))

    def let(self, value):
        """The value, computed once, here."""
        value = const(value, "int32") if isinstance(value, int) else value
        variable = tirx.Var("v", value.ty)
        self.add(tirx.Bind(variable, value))
        return variable

    def registers(self, count, dtype, lanes):
        return Registers(self, count, dtype, lanes)

    def load(self, buffer, index, lanes=1):
        if lanes == 1:
            return tirx.BufferLoad(buffer, [index])
        return buffer.vload([index], vector(str(buffer.dtype), lanes))

    def store(self, buffer, index, value):
        self.add(buffer.vstore([index], value))

    def function(self):
        body = sequence(self.stack[0])
        for key, value in (("device_id", 0), ("device_type", tvm.cpu().dlpack_device_type())):
            body = tirx.AttrStmt("default", key, const(value, "int32"), body)  # registers are on the CPU's stack
        return tirx.PrimFunc(self.params, body).with_attr({"tirx.noalias": True})


def intrinsic(name, dtype, *arguments):
    """An LLVM intrinsic without side effects."""
    return tirx.call_llvm_pure_intrin(dtype, name, *arguments)


def cast(value, dtype):
    return tirx.Cast(dtype, value)


def converted(value, dtype, lanes):
    """A float of another width, or the same value. Halves live in memory only: all that is computed is wider."""
    wanted = vector(dtype, lanes)
    return value if str(value.ty) == wanted else cast(value, wanted)


def reinterpret(value, dtype):
    return tirx.reinterpret(dtype, value)


def call(name, arguments):
    """A call of a C function without result."""
    return tirx.Evaluate(tirx.call_extern("void", name, *arguments))
