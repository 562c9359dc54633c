export { decodeBase64, instantiateCore, KernelError } from "./instantiate.ts";
