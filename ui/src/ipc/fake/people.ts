/** The people of the scenes. */
import type { Person, Quote } from '../bindings';
import { person } from './world';

export const alice: Person = { ...person('alice', 'Alice', 0), me: true, host: true, online: true };
export const bob: Person = { ...person('bob', 'Bob', 2), online: true, addedBy: 'alice' };
export const carol: Person = { ...person('carol', 'Carol', 4, '🦊'), addedBy: 'bob' };
export const dan: Person = { ...person('dan', 'Dan', 9), addedBy: 'alice' };
export const erin: Person = { ...person('erin', 'Erin Nakamura', 3, '🌻'), addedBy: 'bob', online: true };

export const actor = (one: Person) => ({ user: one.user, name: one.profile.name });

export const quote = (id: string, from: Person, text: string): Quote => ({ id, from: from.user, name: from.profile.name, text });
