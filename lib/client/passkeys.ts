/** The browser's side of passkeys: what the server asks becomes a question to the device, and its answer base64url. */
import type {
  PasskeyAssertion,
  PasskeyAttestation,
  PasskeyCreation,
  PasskeyRequest,
} from "../contract/passkeys.ts";

/** Whether this browser has passkeys here: only on secure pages. */
export function hasPasskeys(): boolean {
  return typeof PublicKeyCredential !== "undefined";
}

/** Bytes of base64url. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    atob(text.replaceAll("-", "+").replaceAll("_", "/")),
    (letter) => letter.charCodeAt(0),
  );
}

/** Bytes as base64url. */
export function toBase64Url(bytes: ArrayBuffer): string {
  const text = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

const described = <T extends { id: string }>(list: readonly T[]) =>
  list.map((each) => ({ ...each, id: fromBase64Url(each.id) }));

const answer = (credential: Credential | null): PublicKeyCredential => {
  if (!(credential instanceof PublicKeyCredential)) throw new DOMException("no passkey", "NotAllowedError");
  return credential;
};

/** Has the device make a passkey. @throws {DOMException} NotAllowedError, InvalidStateError (it has one already), … */
export async function makePasskey(options: PasskeyCreation): Promise<PasskeyAttestation> {
  const made = answer(
    await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: fromBase64Url(options.challenge),
        user: { ...options.user, id: fromBase64Url(options.user.id) },
        excludeCredentials: described(options.excludeCredentials) as PublicKeyCredentialDescriptor[],
      },
    }),
  );
  const response = made.response as AuthenticatorAttestationResponse;
  const transports = response.getTransports?.() as PasskeyAttestation["transports"];
  return {
    id: made.id,
    clientDataJSON: toBase64Url(response.clientDataJSON),
    attestationObject: toBase64Url(response.attestationObject),
    ...(transports && { transports }),
  };
}

/** Has the device sign with a passkey. @throws {DOMException} NotAllowedError, … */
export async function askPasskey(options: PasskeyRequest): Promise<PasskeyAssertion> {
  const used = answer(
    await navigator.credentials.get({
      publicKey: {
        ...options,
        challenge: fromBase64Url(options.challenge),
        allowCredentials: described(options.allowCredentials) as PublicKeyCredentialDescriptor[],
      },
    }),
  );
  const response = used.response as AuthenticatorAssertionResponse;
  const { userHandle } = response;
  return {
    id: used.id,
    clientDataJSON: toBase64Url(response.clientDataJSON),
    authenticatorData: toBase64Url(response.authenticatorData),
    signature: toBase64Url(response.signature),
    ...(userHandle && userHandle.byteLength > 0 && { userHandle: toBase64Url(userHandle) }),
  };
}
