"""Networks whose derivatives are computed layer by layer: without a graph, in buffers that stay.

autograd records every operation and allocates every result. For small networks that takes longer
than the operations themselves. A `Pass` knows the derivative of one module for batches of one size,
and writes those of the weights where they are wanted.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from skae.nn.networks import SkipNetwork, Transposed

_aten = torch.ops.aten


class Gradients:
    """Where the passes of a step write the gradients of the weights.

    Parameters
    ----------
    tensors : mapping of int to Tensor
        The gradient of every parameter by its `id`.
    """

    def __init__(self, tensors: Mapping[int, Tensor]) -> None:
        self._tensors = tensors
        self._written: set[int] = set()

    def of(self, parameter: Tensor) -> tuple[Tensor, bool]:
        """Return the gradient of a parameter, and whether a pass before writes it as well.

        Passes are made in the order in which they go back.
        """
        is_written = id(parameter) in self._written
        self._written.add(id(parameter))
        return self._tensors[id(parameter)], is_written


class Pass(ABC):
    """The forward and the backward pass of a module for batches of one size."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Return the output for $(B, n)$, which the next call may overwrite."""

    @abstractmethod
    def backward(self, gradient: Tensor, *, to_input: bool) -> Tensor | None:
        """Write the gradients of the weights, given that of the output of the last `forward`.

        Return the gradient of the input, or None if it is not wanted.
        """


class _Linear(Pass):
    """A linear layer, or a transposed one."""

    def __init__(self, layer: nn.Linear | Transposed, n_rows: int, gradients: Gradients) -> None:
        bias = layer.get_parameter("bias")
        # The second user of shared weights adds to the gradient of the first one.
        self.weight, (self.weight_gradient, self.adds) = (
            layer.weight.detach(),
            gradients.of(layer.weight),
        )
        self.bias, (self.bias_gradient, self.adds_bias) = bias.detach(), gradients.of(bias)
        # The shape is (outputs, inputs) for both kinds of layers.
        if isinstance(layer, Transposed):
            self.weight, self.weight_gradient = self.weight.T, self.weight_gradient.T
        self.to_output = self.weight.T
        n_outputs, n_inputs = self.weight.shape
        # The product is faster with the longer side last, by far where the other one is short.
        self.is_wide = n_outputs > n_inputs
        self.transposed = self.weight.new_empty(n_inputs, n_outputs)
        self.output = self.weight.new_empty(n_rows, n_outputs)
        self.input_gradient = self.weight.new_empty(n_rows, n_inputs)

    def forward(self, x: Tensor) -> Tensor:
        self.x = x
        return torch.addmm(self.bias, x, self.to_output, out=self.output)

    def backward(self, gradient: Tensor, *, to_input: bool) -> Tensor | None:
        if self.adds_bias:
            self.bias_gradient += gradient.sum(0)
        else:
            torch.sum(gradient, 0, out=self.bias_gradient)
        if self.adds:
            self.weight_gradient.addmm_(gradient.T, self.x)
        elif self.is_wide:
            self.weight_gradient.copy_(torch.mm(self.x.T, gradient, out=self.transposed).T)
        else:
            torch.mm(gradient.T, self.x, out=self.weight_gradient)
        if not to_input:
            return None
        return torch.mm(gradient, self.weight, out=self.input_gradient)


class _Activation(Pass):
    """An activation function; subclasses write into `output` and `input_gradient`."""

    def __init__(self, module: nn.Module) -> None:
        self.module: Any = module
        self.output = self.input_gradient = torch.empty(0)

    def forward(self, x: Tensor) -> Tensor:
        if self.output.shape != x.shape:
            self.output, self.input_gradient = torch.empty_like(x), torch.empty_like(x)
        self.x = x
        self.activate(x)
        return self.output

    def backward(self, gradient: Tensor, *, to_input: bool) -> Tensor | None:
        if not to_input:
            return None
        self.differentiate(gradient)
        return self.input_gradient

    @abstractmethod
    def activate(self, x: Tensor) -> None:
        """Write the output."""

    @abstractmethod
    def differentiate(self, gradient: Tensor) -> None:
        """Write the gradient of the input."""


class _GELU(_Activation):
    def activate(self, x: Tensor) -> None:
        kind = self.module.approximate
        _aten.gelu.out(x, approximate=kind, out=self.output)

    def differentiate(self, gradient: Tensor) -> None:
        kind = self.module.approximate
        _aten.gelu_backward.grad_input(
            gradient, self.x, approximate=kind, grad_input=self.input_gradient
        )


class _ReLU(_Activation):
    def activate(self, x: Tensor) -> None:
        torch.clamp_min(x, 0, out=self.output)

    def differentiate(self, gradient: Tensor) -> None:
        _aten.threshold_backward.grad_input(
            gradient, self.output, 0, grad_input=self.input_gradient
        )


class _LeakyReLU(_Activation):
    def activate(self, x: Tensor) -> None:
        _aten.leaky_relu.out(x, self.module.negative_slope, out=self.output)

    def differentiate(self, gradient: Tensor) -> None:
        slope = self.module.negative_slope
        _aten.leaky_relu_backward.grad_input(
            gradient, self.x, slope, False, grad_input=self.input_gradient
        )


class _ELU(_Activation):
    def activate(self, x: Tensor) -> None:
        _aten.elu.out(x, self.module.alpha, out=self.output)

    def differentiate(self, gradient: Tensor) -> None:
        alpha = self.module.alpha
        _aten.elu_backward.grad_input(
            gradient, alpha, 1, 1, False, self.x, grad_input=self.input_gradient
        )


class _SiLU(_Activation):
    def activate(self, x: Tensor) -> None:
        _aten.silu.out(x, out=self.output)

    def differentiate(self, gradient: Tensor) -> None:
        _aten.silu_backward.grad_input(gradient, self.x, grad_input=self.input_gradient)


class _Tanh(_Activation):
    def activate(self, x: Tensor) -> None:
        torch.tanh(x, out=self.output)

    def differentiate(self, gradient: Tensor) -> None:
        _aten.tanh_backward.grad_input(gradient, self.output, grad_input=self.input_gradient)


class _Sigmoid(_Activation):
    def activate(self, x: Tensor) -> None:
        torch.sigmoid(x, out=self.output)

    def differentiate(self, gradient: Tensor) -> None:
        _aten.sigmoid_backward.grad_input(gradient, self.output, grad_input=self.input_gradient)


_ACTIVATIONS: dict[type[nn.Module], type[_Activation]] = {
    nn.ELU: _ELU,
    nn.GELU: _GELU,
    nn.LeakyReLU: _LeakyReLU,
    nn.ReLU: _ReLU,
    nn.Sigmoid: _Sigmoid,
    nn.SiLU: _SiLU,
    nn.Tanh: _Tanh,
}


class _Before(Pass):
    """A module without weights before all that have some: only its output is needed."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.module(x)
        return output

    def backward(self, gradient: Tensor, *, to_input: bool) -> Tensor | None:
        assert not to_input
        return None


class _Sequence(Pass):
    """One module after the other."""

    def __init__(self, passes: list[Pass]) -> None:
        self.passes = passes
        # Nothing in front of the first weights needs a gradient.
        self.first = next((i for i, each in enumerate(passes) if _has_weights(each)), len(passes))

    def forward(self, x: Tensor) -> Tensor:
        for each in self.passes:
            x = each.forward(x)
        return x

    def backward(self, gradient: Tensor, *, to_input: bool) -> Tensor | None:
        g: Tensor | None = gradient
        for i in reversed(range(len(self.passes))):
            if not to_input and i < self.first:
                return None
            assert g is not None
            g = self.passes[i].backward(g, to_input=to_input or i > self.first)
        return g


class _Skip(Pass):
    """A linear path beside a deep one; see `SkipNetwork`."""

    def __init__(self, network: SkipNetwork, n_rows: int, gradients: Gradients) -> None:
        self.network = network
        self.linear = make_pass(network.linear, n_rows, gradients, is_first=False)
        self.deep = make_pass(network.deep, n_rows, gradients, is_first=False)
        self.is_scaled = bool((network.input_scale != 1).any())

    def forward(self, x: Tensor) -> Tensor:
        output = self.linear.forward(x)
        deep = self.deep.forward(x / self.network.input_scale if self.is_scaled else x)
        return output.addcmul_(deep, self.network.output_scale)

    def backward(self, gradient: Tensor, *, to_input: bool) -> Tensor | None:
        of_linear = self.linear.backward(gradient, to_input=to_input)
        of_deep = self.deep.backward(gradient * self.network.output_scale, to_input=to_input)
        if of_linear is None or of_deep is None:
            return None
        return of_linear.addcdiv_(of_deep, self.network.input_scale)


def _has_weights(each: Pass) -> bool:
    if isinstance(each, _Sequence):
        return any(map(_has_weights, each.passes))
    return isinstance(each, _Linear | _Skip)


def has_pass(network: nn.Module, *, is_first: bool) -> bool:
    """Return whether `make_pass` knows the derivative of a network.

    Parameters
    ----------
    network : nn.Module
        The network.
    is_first : bool
        Whether the gradient of its input is not needed.
    """
    modules = [part for _, part in network.named_modules(remove_duplicate=False)]
    parameters = [id(each) for part in modules for each in part.parameters(recurse=False)]
    if len(set(parameters)) < len(parameters):
        return False
    leaves = _leaves(network)
    if is_first:
        leaves = leaves[_n_without_weights(leaves) :]
    return all(map(_is_known, leaves))


def _n_without_weights(leaves: list[nn.Module]) -> int:
    """Return the number of modules before the first one with weights."""
    with_weights = [i for i, leaf in enumerate(leaves) if any(True for _ in leaf.parameters())]
    return with_weights[0] if with_weights else len(leaves)


def _is_known(module: nn.Module) -> bool:
    if type(module) is SkipNetwork:
        return _is_layer(module.linear) and has_pass(module.deep, is_first=False)
    return _is_layer(module) or type(module) in _ACTIVATIONS


def _is_layer(module: nn.Module) -> bool:
    is_complete = all(parameter is not None for parameter in module._parameters.values())
    return type(module) in (nn.Linear, Transposed) and is_complete


def make_pass(network: nn.Module, n_rows: int, gradients: Gradients, *, is_first: bool) -> Pass:
    """Return the passes of a network.

    Parameters
    ----------
    network : nn.Module
        A network for which `has_pass`.
    n_rows : int
        The number of rows of a batch.
    gradients : Gradients
        Where the gradients of the weights are written.
    is_first : bool
        Whether the gradient of its input is not needed.
    """
    leaves = _leaves(network)
    n_before = _n_without_weights(leaves) if is_first else 0
    passes: list[Pass] = [_Before(leaf) for leaf in leaves[:n_before]]
    passes += [_make_one(leaf, n_rows, gradients) for leaf in leaves[n_before:]]
    return passes[0] if len(passes) == 1 else _Sequence(passes)


def _make_one(module: nn.Module, n_rows: int, gradients: Gradients) -> Pass:
    if isinstance(module, SkipNetwork):
        return _Skip(module, n_rows, gradients)
    if isinstance(module, nn.Linear | Transposed):
        return _Linear(module, n_rows, gradients)
    return _ACTIVATIONS[type(module)](module)


def _leaves(network: nn.Module) -> list[nn.Module]:
    """Return the modules that a network applies one after the other."""
    if type(network) is not nn.Sequential:
        return [] if type(network) is nn.Identity else [network]
    return [leaf for part in network for leaf in _leaves(part)]
