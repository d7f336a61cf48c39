/** Which libvirt is connected to, and as whom. */

/** Whom libvirt knows us as, where it asks (SASL, ESXi). The password is told to libvirt's library alone. */
export interface LibvirtLogin {
  readonly username: string;
  readonly password: string;
}

/** As the main thread has it. */
export interface LibvirtAccount {
  /** libvirt's connection URI. */
  readonly uri: string;
  readonly login?: LibvirtLogin;
}

/** As the workers have it, by messages: plain data, without a password. */
export interface LibvirtAddress {
  readonly uri: string;
  /**
   * Pointer of an open connection that all threads of this process use instead of their own. libvirt's test driver makes a
   * new host for each connection to a file: see `shared_connection.ts`.
   */
  readonly shared?: bigint;
  /** Where libvirt may ask for a user. */
  readonly signIn?: {
    /** Pointer of the callback that answers: see `sign_in_answers.ts`. */
    readonly answers: bigint;
    /** What all who sign in there know of each other: see `sign_in_turns.ts`. */
    readonly cells: Int32Array<SharedArrayBuffer>;
  };
}
