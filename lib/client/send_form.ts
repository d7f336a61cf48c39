/** Forms of a page that are one command, sent by script. */
import { callByForm } from "./api.ts";
import { report, reportFailure } from "./toasts.ts";

/**
 * For `onSubmit` of a form with {@link formHref}: sends it, and says how it went.
 *
 * @param failed what is said when it was refused: a sentence
 * @param after called when it was carried out or refused, with the form and which of the two
 */
export function sendsForm(
  failed: string,
  after: (form: HTMLFormElement, isDone: boolean) => void = () => {},
): (event: SubmitEvent) => Promise<void> {
  return async (event) => {
    const form = event.currentTarget as HTMLFormElement;
    event.preventDefault();
    // A second click does not send it again.
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    let isDone = false;
    try {
      report(await callByForm(form, event.submitter));
      isDone = true;
    } catch (error) {
      reportFailure({ sentence: failed }, error);
    } finally {
      form.ariaBusy = null;
    }
    after(form, isDone);
  };
}
