/** Texts of passkeys in the browser: what their two islands need. */
export const passkeys = {
  "passkeys.name": "Name",
  "passkeys.name_hint": "Where you keep it: laptop, phone, key ring.",
  "passkeys.current": "Current password",
  "passkeys.add": "Add a passkey",
  "passkeys.none_here": "This browser has no passkeys here: they need a secure page (HTTPS, or localhost).",
  "passkeys.sign_in": "Sign in with a passkey",
  "passkeys.use": "Use a passkey",
  "passkeys.confirm": "Confirm with a passkey",
  "passkeys.confirmed": "Confirmed. You need no password for the next five minutes.",
  "passkeys.waiting": "Waiting for your device …",
  "passkeys.cancelled":
    "Nothing came from the device: it was cancelled, took too long, or has no passkey of yours.",
  "passkeys.known": "This device has a passkey of yours already.",
  "passkeys.recovery_what":
    "The passkey was added. Keep these recovery codes somewhere safe: each works once, if you lose the passkey. They are shown only now.",
  "passkeys.recovery_done": "I have kept them",
} as const;
