/** Which libvirt is connected to, and as whom. Plain data: it goes to the workers by messages. */

/** Whom libvirt knows us as, where it asks (SASL, ESXi). The password is told to libvirt's library alone. */
export interface LibvirtLogin {
  readonly username: string;
  readonly password: string;
}

export interface LibvirtAddress {
  /** libvirt's connection URI. */
  readonly uri: string;
  readonly login?: LibvirtLogin;
  /** What all who sign in there know of each other: see `sign_in_turns.ts`. */
  readonly signIns?: Int32Array<SharedArrayBuffer>;
}
