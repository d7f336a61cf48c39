/** The proof within a form that it is still the same person. */
import { OWN_PASSWORD, presentPasswordIn } from "../../lib/access/forms.ts";
import type { PageState } from "../../lib/page_state.ts";

/** Takes the own password that a form brings along; nothing where it brings none. @throws {ContractError} SignInFailed */
export async function confirmOwn(api: PageState["api"], form: FormData): Promise<void> {
  const { password } = presentPasswordIn(form, OWN_PASSWORD);
  if (password !== undefined) await api.reauthenticate({ password });
}
