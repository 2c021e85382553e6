/** The first half of the ten thousand pods. */
import { describeVolume } from './volume.ts';

describeVolume(0, 2);
