import assert from "node:assert/strict";
import { LibvirtError, type SignInFailure, VIR_ERR } from "../../ffi/error.ts";
import { errorText } from "../../lib/contract/errors.ts";
import { RetryPauses, unavailableText } from "./unavailable.ts";

const MINUTE = 60_000;
const signInText = (signIn: SignInFailure) => unavailableText(new LibvirtError({ message: "no", signIn }));

Deno.test("unavailableText() says of TLS what is wrong and what to do, once", () => {
  const uri = "qemu+tls://kvm2/system";
  const table: readonly (readonly [message: string, code: number, advice: RegExp])[] = [
    [
      "authentication failed: Failed to verify peer's certificate",
      VIR_ERR.AUTH_FAILED,
      /a name that is in it/,
    ],
    ["Unable to read TLS confirmation: Input/output error", VIR_ERR.SYSTEM, /Put clientcert\.pem/],
    ["Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file", VIR_ERR.SYSTEM, /Put cacert\.pem/],
    ["The client certificate /etc/pki/clientcert.pem has expired", VIR_ERR.SYSTEM, /Put a valid one/],
    ["unable to connect to server at 'kvm2:16514': Connection refused", VIR_ERR.SYSTEM, /Start its socket/],
  ];
  for (const [message, code, advice] of table) {
    const text = unavailableText(new LibvirtError({ message, code }), uri);
    assert.ok(text.startsWith(message), text);
    assert.match(text, advice);
    assert.equal(unavailableText(new LibvirtError({ message: text, code }), uri), text);
  }
  const other = "unable to connect to server at 'kvm2:16514': No route to host";
  assert.equal(unavailableText(new LibvirtError({ message: other, code: VIR_ERR.SYSTEM }), uri), other);
  assert.match(
    unavailableText(new LibvirtError({ kind: "timeout", message: "" }), uri),
    /the host is off, a firewall/,
  );
  assert.match(unavailableText(new LibvirtError({ kind: "timeout", message: "" })), /accepts connections/);
});

Deno.test("unavailableText() says what Kerberos says of a ticket, and how KVM Manager gets one", () => {
  const of = (minor: string) =>
    "authentication failed: Failed to start SASL negotiation: -1 (SASL(-1): generic failure: GSSAPI Error: Unspecified GSS failure.  " +
    `Minor code may provide more information (${minor}))`;
  const table: readonly (readonly [minor: string, advice: RegExp])[] = [
    ["No Kerberos credentials available (default cache: FILE:/tmp/krb5cc_0)", /KRB5_CLIENT_KTNAME/],
    ["Ticket expired", /KRB5_CLIENT_KTNAME/],
    ["Server libvirt/kvm2@EXAMPLE.ORG not found in Kerberos database", /Add this principal/],
    ["Cannot contact any KDC for realm 'EXAMPLE.ORG'", /Start the KDC/],
  ];
  for (const [minor, advice] of table) {
    const text = unavailableText(
      new LibvirtError({ message: of(minor), code: VIR_ERR.AUTH_FAILED, signIn: "ticket" }),
    );
    assert.ok(text.startsWith(`${minor}. This libvirt lets in by Kerberos.`), text);
    assert.match(text, advice);
    assert.equal(new RetryPauses().next(text), MINUTE, "what a person has to change is not tried at once");
  }
});

Deno.test("RetryPauses try what is away soon, and a refused password at most twice in a quarter of an hour", () => {
  const pauses = new RetryPauses(), away = errorText("LibvirtUnavailable");
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(() => pauses.next(away)), [
    100,
    250,
    500,
    1000,
    2000,
    3000,
    3000,
  ]);
  const refused = signInText("refused");
  const found = [1, 2, 3, 4].map(() => pauses.next(refused));
  assert.deepEqual(found, [MINUTE, 20 * MINUTE, 60 * MINUTE, 60 * MINUTE]);
  // 0, 1, 21, … minutes, each pause a fifth shorter at worst
  assert.ok(0.8 * found[1]! > 15 * MINUTE);
  for (const each of ["needed", "impossible"] as const) assert.equal(pauses.next(signInText(each)), MINUTE);
  const uri = "qemu+tls://kvm2/system", message = "Unable to read TLS confirmation: Input/output error";
  assert.equal(pauses.next(unavailableText(new LibvirtError({ message }), uri)), MINUTE);
  pauses.reset();
  assert.deepEqual([pauses.next(refused), pauses.next(away)], [MINUTE, 100]);
});
