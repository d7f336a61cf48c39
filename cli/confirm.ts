/** A question before something is lost. Without a terminal nobody can answer, and the answer is no. */
export function askToConfirm(question: string): boolean {
  if (!Deno.stdin.isTerminal()) {
    console.error("kvm-manager: nobody is there to be asked: --yes says yes");
    return false;
  }
  return confirm(question);
}
