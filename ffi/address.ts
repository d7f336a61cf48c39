/** Address of a libvirt, and the user that it is opened as. */

/**
 * User and password for a libvirt that asks for them (SASL, ESXi). The password is given to libvirt's library alone.
 */
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
  /** Callback for a libvirt that may ask for a user. */
  readonly signIn?: {
    /** Pointer of the callback that answers: see `sign_in_answers.ts`. */
    readonly answers: bigint;
    /** State that all sign-ins at this address share: see `sign_in_turns.ts`. */
    readonly cells: Int32Array<SharedArrayBuffer>;
  };
}
