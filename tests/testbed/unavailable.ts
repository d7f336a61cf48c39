/**
 * Thrown when this machine cannot offer something a test needs (no packages to install, no libvirt, no browser).
 * Its message is fit to be a skip reason. Anything else that is thrown is a defect and must fail the test.
 */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}
