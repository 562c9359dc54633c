const made = new WeakSet<object>();

/**
 * An exception as the WebCodecs text names them: `InvalidStateError`, `NotSupportedError`, `EncodingError`, ... AudioWorklets
 * have no DOMException; there it is an Error of that name.
 */
export function exception(name: string, message: string, cause?: unknown): DOMException {
  const error =
    typeof DOMException === "function"
      ? new DOMException(message, name)
      : Object.defineProperty(new Error(message), "name", { value: name });
  // Browsers' constructor of DOMException takes no cause.
  if (cause !== undefined) Object.defineProperty(error, "cause", { value: cause, configurable: true });
  made.add(error);
  return error as DOMException;
}

/** Whether an error is one that `exception` made. */
export function isException(error: unknown): error is DOMException {
  return typeof error === "object" && error !== null && made.has(error);
}
