/** Global set-up of the end-to-end tests: they run the built studio, so it is built from the present sources first. */
import { build } from '../../scripts/build.mjs';

export async function setup() {
  await build();
}
