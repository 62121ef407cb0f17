"""Builds the ONNX graph of MiniLM from its weights: one file that turns token ids into unit vectors.

The operators are ONNX Runtime's fused ones for BERT (`com.microsoft`): embedding and first layer norm,
attention, residual and layer norm, bias and GELU. Mean pooling and the L2 norm are part of the graph;
because of the norm, the sum over tokens does as well as the mean. `onnx` is imported only here, and
only when a graph is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from steward.base.language.numeric_form import DIMENSIONS, NumericForm

Array = NDArray[Any]

LAYERS = 6
HEADS = 12
# The fused operators' own opset, and the ONNX opset they are mixed with.
MICROSOFT_OPSET = 1
ONNX_OPSET = 17
# Processors without VNNI add two products of unsigned weight and signed activation in 16 bits. Weights
# within 1..127 keep 2 * 127 * 127 below 32,768, so nothing saturates there.
REDUCED_RANGE = 63
ZERO_POINT = 64
# One scale for 64 inputs of an output channel. Activations are scaled per row in blocks of the same
# size, so a sentence's vector doesn't depend on its neighbours in the batch (a block of 128 takes
# another kernel for many rows and differs by 2e-4).
BLOCK = 64
# MatMulNBits: 4 means that activations are rounded to int8 as well and multiplied as integers.
INTEGER_PRODUCTS = 4
LAYER_NORM_EPSILON = 1e-12


def build_graph(weights: Mapping[str, Array], form: NumericForm) -> bytes:
    """Return the serialised ONNX model.

    Inputs are `ids` and `mask`, int32 of shape (batch, tokens); the output `vectors` is float32 of
    shape (batch, 384), each row of length one.

    Args:
        weights: the tensors of `model.safetensors` by their names in the file.
        form: int8 in blocks of each output channel, with reduced range, or fp32 as published.
    """
    draft = _Draft(form)
    hidden = draft.embeddings(weights)
    for layer in range(LAYERS):
        hidden = draft.encoder_layer(weights, f"encoder.layer.{layer}.", hidden)
    draft.pooling(hidden)
    graph = helper.make_graph(
        draft.nodes,
        "minilm",
        [
            helper.make_tensor_value_info("ids", TensorProto.INT32, ["batch", "tokens"]),
            helper.make_tensor_value_info("mask", TensorProto.INT32, ["batch", "tokens"]),
        ],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", DIMENSIONS])],
        draft.initializers,
    )
    model = helper.make_model(
        graph,
        producer_name="steward",
        opset_imports=[
            helper.make_opsetid("", ONNX_OPSET),
            helper.make_opsetid("com.microsoft", MICROSOFT_OPSET),
        ],
        ir_version=8,
    )
    serialised: bytes = model.SerializeToString()
    return serialised


@dataclass(frozen=True, slots=True)
class Blocks:
    """A matrix in 8-bit blocks: `codes` (outputs, blocks, 64) uint8, `scales` (outputs, blocks) float32."""

    codes: Array
    scales: Array


def quantise_blocks(weight: Array) -> Blocks:
    """Quantise a matrix of shape (inputs, outputs), a scale per output channel and 64 inputs."""
    inputs, outputs = weight.shape
    blocks = weight.T.astype(np.float64).reshape(outputs, inputs // BLOCK, BLOCK)
    scales = np.abs(blocks).max(axis=2) / REDUCED_RANGE
    scales = np.where(scales == 0, 1.0, scales)
    codes = np.rint(blocks / scales[:, :, None]) + ZERO_POINT
    return Blocks(codes=codes.astype(np.uint8), scales=scales.astype(np.float32))


class _Draft:
    """Nodes and initialisers collected while the graph is written down."""

    def __init__(self, form: NumericForm) -> None:
        self.form = form
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []

    def constant(self, name: str, value: Array) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, *, domain: str = "", **fields: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, domain=domain, **fields))
        return output

    def fused(self, operator: str, inputs: list[str], output: str, **fields: Any) -> str:
        return self.node(operator, inputs, output, domain="com.microsoft", **fields)

    def embeddings(self, weights: Mapping[str, Array]) -> str:
        prefix = "embeddings."
        # Every token has type 0: its row is added to the positions here instead of at every lookup.
        positions = (
            weights[prefix + "position_embeddings.weight"]
            + weights[prefix + "token_type_embeddings.weight"][0]
        )
        self.nodes.append(
            helper.make_node(
                "EmbedLayerNormalization",
                [
                    "ids",
                    "",
                    self.constant("words", weights[prefix + "word_embeddings.weight"]),
                    self.constant("positions", positions),
                    "",
                    self.constant("embeddings.gamma", weights[prefix + "LayerNorm.weight"]),
                    self.constant("embeddings.beta", weights[prefix + "LayerNorm.bias"]),
                ],
                ["embedded", "embeddings.lengths"],
                name="embedded",
                domain="com.microsoft",
                epsilon=LAYER_NORM_EPSILON,
            )
        )
        return "embedded"

    def encoder_layer(self, weights: Mapping[str, Array], prefix: str, hidden: str) -> str:
        context = self.attention(weights, prefix, hidden)
        projected = self.dense(prefix + "attention.output", weights, context)
        hidden = self.residual_norm(prefix + "attention.output", weights, projected, hidden)
        wide = self.dense(prefix + "intermediate", weights, hidden)
        bias = self.constant(prefix + "intermediate.bias", weights[prefix + "intermediate.dense.bias"])
        wide = self.fused("BiasGelu", [wide, bias], prefix + "gelu")
        narrow = self.dense(prefix + "output", weights, wide)
        return self.residual_norm(prefix + "output", weights, narrow, hidden)

    def attention(self, weights: Mapping[str, Array], prefix: str, hidden: str) -> str:
        parts = [f"{prefix}attention.self.{part}." for part in ("query", "key", "value")]
        weight = np.concatenate([weights[part + "weight"].T for part in parts], axis=1)
        bias = self.constant(prefix + "qkv.bias", np.concatenate([weights[part + "bias"] for part in parts]))
        output = prefix + "context"
        if self.form is NumericForm.EXACT:
            matrix = self.constant(prefix + "qkv.matrix", weight)
            return self.fused("Attention", [hidden, matrix, bias, "mask"], output, num_heads=HEADS)
        projected = self.multiply(prefix + "qkv", weight, hidden)
        pieces = [prefix + part for part in ("q", "k", "v")]
        sizes = self.constant(prefix + "sizes", np.array([DIMENSIONS] * 3, np.int64))
        self.nodes.append(
            helper.make_node("Split", [projected, sizes], pieces, name=prefix + "split", axis=2)
        )
        return self.fused("MultiHeadAttention", [*pieces, bias, "mask"], output, num_heads=HEADS)

    def dense(self, prefix: str, weights: Mapping[str, Array], inputs: str) -> str:
        """Multiply by a dense layer's matrix; its bias is left to the operator that follows."""
        return self.multiply(prefix, weights[prefix + ".dense.weight"].T, inputs)

    def multiply(self, prefix: str, weight: Array, inputs: str) -> str:
        output = prefix + ".product"
        if self.form is NumericForm.EXACT:
            return self.node("MatMul", [inputs, self.constant(prefix + ".matrix", weight)], output)
        blocks = quantise_blocks(weight)
        return self.fused(
            "MatMulNBits",
            [
                inputs,
                self.constant(prefix + ".codes", blocks.codes),
                self.constant(prefix + ".scales", blocks.scales),
                self.constant(prefix + ".zeros", np.full(blocks.scales.shape, ZERO_POINT, np.uint8)),
            ],
            output,
            K=weight.shape[0],
            N=weight.shape[1],
            bits=8,
            block_size=BLOCK,
            accuracy_level=INTEGER_PRODUCTS,
        )

    def residual_norm(self, prefix: str, weights: Mapping[str, Array], branch: str, skip: str) -> str:
        return self.fused(
            "SkipLayerNormalization",
            [
                branch,
                skip,
                self.constant(prefix + ".gamma", weights[prefix + ".LayerNorm.weight"]),
                self.constant(prefix + ".beta", weights[prefix + ".LayerNorm.bias"]),
                self.constant(prefix + ".bias", weights[prefix + ".dense.bias"]),
            ],
            prefix + ".normed",
            epsilon=LAYER_NORM_EPSILON,
        )

    def pooling(self, hidden: str) -> None:
        self.node("Cast", ["mask"], "mask.float", to=TensorProto.FLOAT)
        axis = self.constant("pooling.axis", np.array([1], np.int64))
        self.node("Unsqueeze", ["mask.float", axis], "mask.row")
        self.node("MatMul", ["mask.row", hidden], "summed")
        self.node("Squeeze", ["summed", axis], "pooled")
        self.node("LpNormalization", ["pooled"], "vectors", p=2, axis=1)
