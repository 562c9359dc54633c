// @longwave/opus/decoder: the package without its encoder, half as large.
import "./decoder-core.ts";

export * from "./decoding.ts";
