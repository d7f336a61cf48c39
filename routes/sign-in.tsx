import { page } from "fresh";
import { CurrentPasswordField } from "../components/access/CurrentPasswordField.tsx";
import { Entrance } from "../components/access/Entrance.tsx";
import { TextField } from "../components/Field.tsx";
import { runningAgent } from "../agent/mod.ts";
import { textIn, trimmedIn } from "../lib/format/form_fields.ts";
import { type Failure, failureOf } from "../lib/format/failure.ts";
import { access } from "../lib/i18n/en/access.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import PasskeySignIn from "../islands/PasskeySignIn.tsx";
import { hasHostName, localhostOf } from "../lib/format/host_name.ts";
import { define } from "../lib/page_state.ts";
import { wayBack } from "./(_shared)/sign_in.ts";

const { t } = textsOf(access);

/** What the page shows: the first step or, with a challenge, the second. */
interface Shown {
  readonly to: string;
  readonly name: string;
  readonly challenge: string | null;
  /** What the second step takes. */
  readonly factors: readonly string[];
  readonly failure: Failure | null;
  /** Nobody can sign in yet. */
  readonly empty: boolean;
}

const shown = (more: Partial<Shown>): Shown => ({
  ...{ to: "/", name: "", challenge: null, factors: [], failure: null },
  empty: runningAgent().access.needsSetup === true,
  ...more,
});

export const handler = define.handlers({
  GET({ state, url, redirect }) {
    const to = wayBack(url.searchParams.get("to"));
    return state.user === null ? page(shown({ to })) : redirect(to, 303);
  },
  async POST({ req, state, redirect }) {
    const form = await req.formData();
    const to = wayBack(form.get("to")),
      name = trimmedIn(form, "name"),
      challenge = textIn(form, "challenge");
    try {
      const step = challenge === ""
        ? await state.api.signIn({ name, password: textIn(form, "password") })
        : await state.api.confirmSignIn({ challenge, code: textIn(form, "code") });
      if (step.state === "signed-in") return redirect(to, 303);
      return page(shown({ to, challenge: step.challenge, factors: step.secondFactors }));
    } catch (error) {
      const failure = failureOf(error);
      // A wrong code may be tried again; a sign-in that is over begins anew.
      const again = challenge !== "" && failure.code !== "SignInExpired"
        ? { challenge, factors: textIn(form, "factors").split(" ") }
        : {};
      return page(shown({ to, name, failure, ...again }), { status: failure.status });
    }
  },
});

/** Signing in. */
export default define.page<typeof handler>(function SignIn({ data, url }) {
  const { to, name, challenge, factors, failure, empty } = data;
  const takesCode = factors.includes("code"), takesPasskey = factors.includes("passkey");
  const hasName = hasHostName(url);
  return (
    <Entrance title={t("access.sign_in")} failure={failure}>
      {empty && challenge === null && <p>{t("access.no_users")}</p>}
      {challenge !== null && (
        <p>
          {takesPasskey
            ? t(takesCode ? "access.passkey_or_code_what" : "access.passkey_what")
            : t("access.code_what")}
        </p>
      )}
      {takesPasskey && !hasName && (
        <p class="muted">{t("access.passkey_needs_name", { place: localhostOf(url) })}</p>
      )}
      {(challenge === null || takesCode) && (
        <form method="post" action="/sign-in">
          <input type="hidden" name="to" value={to} />
          {challenge === null
            ? (
              <div class="form-grid">
                <TextField
                  label={t("access.name")}
                  name="name"
                  autocomplete="username"
                  autocapitalize="none"
                  required
                  maxLength={64}
                  defaultValue={name}
                  autofocus={name === ""}
                />
                <CurrentPasswordField label={t("access.password")} autofocus={name !== ""} />
              </div>
            )
            : (
              <div class="form-grid">
                <input type="hidden" name="challenge" value={challenge} />
                <input type="hidden" name="factors" value={factors.join(" ")} />
                <TextField
                  label={t("access.code")}
                  hint={t("access.code_hint")}
                  name="code"
                  autocomplete="one-time-code"
                  required
                  maxLength={64}
                  autofocus
                />
              </div>
            )}
          <div class="form-actions">
            <button type="submit" class="button primary">
              {challenge === null ? t("access.sign_in") : t("access.confirm")}
            </button>
          </div>
        </form>
      )}
      {hasName && (challenge === null || takesPasskey) && (
        <PasskeySignIn to={to} challenge={challenge} primary={challenge !== null && !takesCode} />
      )}
      {challenge !== null && (
        <div class="form-actions">
          <a class="button" href="/sign-in">{t("access.again")}</a>
        </div>
      )}
    </Entrance>
  );
});
