/** An HTTP address without what lets somebody in, and the header that says it instead. */
export interface HttpAddress {
  /** For asking: credentials taken out, query kept. */
  readonly url: string;
  /** For people and logs: no credentials, no query, no fragment. */
  readonly shown: string;
  /** `Authorization` of the credentials (Basic, RFC 7617); undefined without any. */
  readonly authorization: string | undefined;
}

/** @throws TypeError for what is no address; its message does not repeat it */
export function parseHttpAddress(text: string): HttpAddress {
  if (!URL.canParse(text)) throw new TypeError("This is no address.");
  const url = new URL(text);
  const { username, password } = url;
  url.username = "";
  url.password = "";
  const credentials = Buffer.from(`${unescaped(username)}:${unescaped(password)}`).toString("base64");
  return {
    url: url.href,
    shown: url.origin + url.pathname,
    authorization: username === "" && password === "" ? undefined : `Basic ${credentials}`,
  };
}

/** An address, also a malformed one, as it may be printed: nothing before an @, nothing behind a ?. */
export function withoutSecrets(text: string): string {
  return text
    .replace(/^([a-z]+:\/\/).*@(?=.|$)/i, "$1")
    .replace(/[?#].*$/s, "")
    .slice(0, 200);
}

/** What is not escaped properly is meant as it is. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
