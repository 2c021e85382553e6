/** The second half of the ten thousand pods. */
import { describeVolume } from './volume.ts';

describeVolume(1, 2);
