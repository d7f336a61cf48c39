/** A mail server, for tests of what is sent by mail. */
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";

/** A mail as it came. */
export interface Mail {
  readonly from: string;
  readonly to: string[];
  readonly data: string;
  readonly user: string | undefined;
}

/**
 * A real mail server on loopback that keeps what it is sent; it stops when it is disposed of.
 *
 * @param password the one that it takes, whoever signs in
 */
export async function mailServer(
  { password: right }: { password: string },
  change: ConstructorParameters<typeof SMTPServer>[0] = {},
) {
  const got: Mail[] = [], logins: string[] = [];
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    authOptional: true,
    onAuth: ({ username, password }, _session, done) => {
      logins.push(`${username}:${password}`);
      if (password === right) done(null, { user: username });
      else done(new Error("wrong password"));
    },
    onData: (stream, session, done) => {
      const chunks: Uint8Array[] = [];
      stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        got.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          data: new TextDecoder().decode(Uint8Array.from(chunks.flatMap((chunk) => [...chunk]))),
          user: session.user === undefined ? undefined : String(session.user),
        });
        done();
      });
    },
    ...change,
  });
  // A client that does not trust it ends the handshake: no failure of this server
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.server.address() as AddressInfo;
  return {
    got,
    logins,
    port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
