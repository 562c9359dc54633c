/** An exception as the WebCodecs text names them: `InvalidStateError`, `NotSupportedError`, `EncodingError`, ... */
export function exception(name: string, message: string, cause?: unknown): DOMException {
  const made = new DOMException(message, name);
  // Browsers' constructor takes no cause.
  if (cause !== undefined) Object.defineProperty(made, "cause", { value: cause, configurable: true });
  return made;
}
