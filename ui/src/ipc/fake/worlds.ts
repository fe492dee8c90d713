/** Worlds that several scenes start from. */
import type { LinkStatus, Relay } from '../bindings';
import { actor, alice, bob, carol, dan, erin, quote } from './people';
import { story } from './story';
import { DAY, HOUR, World } from './world';

export const HERE: Relay = {
  address: 'ws://127.0.0.1:3030',
  label: '127.0.0.1:3030',
  builtIn: true,
  status: { type: 'connected' },
};
export const AWAY: Relay = {
  address: 'wss://relay.example.org:3030',
  label: 'relay.example.org:3030',
  builtIn: false,
  status: { type: 'connected' },
};

export function emptyWorld(): World {
  const world = new World();
  world.relays = [HERE];
  world.builtIn = { running: true, reach: 'thisComputer', address: HERE.address, network: null, former: null, port: 3030, error: null };
  return world;
}

/** Alice, Bob and Carol in the field; some other rooms around. */
export function fullWorld(): World {
  const world = emptyWorld();
  const now = Date.now();
  const yesterday = now - DAY - 3 * HOUR;
  const verifiedBob = { ...bob, verifiedAt: now - 39 * DAY };
  const field = story(world, 'field', 'Field notes', [alice, verifiedBob, carol], yesterday);
  field
    .line({ event: 'created', by: actor(alice) })
    .line({ event: 'joined', who: actor(bob), by: actor(alice) })
    .says(bob, 'Morning! I’m at the first site. The gate was open, so I walked in.')
    .says(bob, 'Fog until nine, then clear.')
    .wait(4)
    .says(alice, 'Good. Can you take the **long** tape? The short one is off by two millimeters.')
    .wait(2)
    .says(bob, 'Already in the bag.')
    .wait(9)
    .says(bob, 'Readings so far:\n\n- north wall `0.42 m`\n- south wall `0.44 m`\n- the old well: could not reach it, *brambles*')
    .wait(11)
    .says(alice, 'The map is at https://maps.example.org/field/site-2, second sheet.')
    .wait(DAY / 60_000 - 60)
    .line({ event: 'joined', who: actor(carol), by: actor(bob) })
    .wait(40)
    .says(bob, 'The second site is done. Measured twice, `0.42 m` both times.');
  const second = field.id();
  field
    .says(bob, 'I’ll put the tape back in the shed.')
    .wait(2)
    .says(carol, 'Hello both! Thanks for letting me in. I can do the third site on Thursday if somebody lends me the tripod.')
    .wait(3)
    .says(alice, 'Take mine, it’s in the hall. I’ll write this up tonight.', quote(second, bob, 'The second site is done. Measured twice, 0.42 m both times.'))
    .wait(1)
    .says(carol, 'You are wonderful 🌿');
  field
    .wait(1)
    .says(carol, 'One more thing: the southern fence is down again. I took the long way round and left a note at the farm.')
    .says(bob, 'Seen it too. I’ll call them.')
    .wait(1)
    .says(alice, 'Thank you. See you both on Thursday.');
  const place = field.tell({ topic: 'Two sites, one tape measure', pinned: true, readPosition: field.position(), epoch: 14 });
  place.people = place.people.map((one) =>
    one.me ? one : { ...one, delivered: field.seq, read: one.user === 'bob' ? field.seq : field.seq - 1 },
  );

  const pair = story(world, 'bob', 'Bob', [alice, verifiedBob], now - 2 * HOUR);
  pair.says(bob, 'Train is at 9:12.').wait(3).says(alice, 'I’ll be there. Platform four?').tell({ draft: 'see you at', activeAt: now - 20 * 60_000 });

  const kitchen = story(world, 'kitchen', 'Kitchen build', [{ ...erin, host: true }, alice, bob, dan].map((p) => (p.me ? { ...p, host: false } : p)), now - 3 * HOUR);
  kitchen
    .says(erin, 'Cabinets arrive Monday at eight.')
    .says(dan, 'I can be there until ten.')
    .wait(5)
    .says(erin, 'Perfect. Who brings the drill?')
    .says(dan, 'Me. And the level.');
  kitchen.tell({ unread: 4, readPosition: 0, knocks: 0 });

  const reading = story(world, 'reading', 'Reading group', [carol, alice, erin].map((p) => ({ ...p, host: p.user === 'carol' })), now - 3 * DAY);
  reading.says(carol, 'Chapter four is the one with the lighthouse. Bring biscuits.').tell({ muted: true, unread: 12 });

  const garden = story(world, 'garden', 'Allotment 17', [alice, dan], now - 5 * DAY);
  garden.says(dan, 'The pump works again.').tell({ knocks: 1 });
  world.place('garden').knocks = [
    { id: 'k9', user: 'frank', profile: { name: 'Frank', emoji: '🥕', color: 5 }, invite: 'i1', inviteCreated: now - 6 * DAY, at: now - HOUR, verified: false },
  ];

  const flat = story(world, 'flat', 'Old flat', [alice, bob], now - 190 * DAY);
  flat.says(bob, 'Keys are with the neighbor.').tell({ archived: true, standing: { state: 'left' } });
  const trip = story(world, 'trip', 'Coast trip', [alice, carol, erin], now - 90 * DAY);
  trip.says(erin, 'Photos are up!').tell({ archived: true });
  return world;
}

/** Two hundred rooms; the first with years of history. */
export function bigWorld(): World {
  const world = fullWorld();
  const now = Date.now();
  const words = ['Harbor', 'Choir', 'Budget', 'Night shift', 'Family', 'Bike repair', 'Robotics', 'Book swap', 'Climbing', 'Board', 'Soup kitchen', 'Translation'];
  for (let i = 0; i < 190; i++) {
    const name = `${words[i % words.length]} ${Math.floor(i / words.length) + 1}`;
    const who = [bob, carol, dan, erin][i % 4] ?? bob;
    story(world, `many-${i}`, name, [alice, who], now - (i + 4) * 7 * HOUR)
      .says(who, ['Done.', 'See you there', 'Who has the key?', 'I moved it to Friday.', 'Fine with me 👍'][i % 5] ?? '')
      .tell({ unread: i % 17 === 3 ? i * 7 : 0, muted: i % 23 === 5 });
  }
  const long = story(world, 'long', 'Observatory log', [alice, { ...bob, verifiedAt: now }, { ...erin, verifiedAt: now }], now - 5 * DAY);
  for (let i = 0; i < 1_400; i++) {
    const who = [bob, alice, erin][Math.floor(i / 3) % 3] ?? bob;
    long.wait(i % 3 === 0 ? 7 : 0).says(
      who,
      [`Frame ${i + 1}: seeing is fair, a little wind from the west.`, 'Refocused.', 'Clouds in the north, we go on with the second field and come back to the first when it clears up. It should not take longer than twenty minutes.'][i % 3] ?? '',
    );
  }
  long.tell({ pinned: true, activeAt: now - 60_000 });
  return world;
}

const ZALGO = 'Z̷̢̛̝̮̳͓̹̈́̓̈́̽̕a̶̧̢̯͕̩̤̐̓̾͒̚͝l̸̨̛̙̹̜̞̈́̈́̌̚ǵ̵̢̟̮̯̼̃̐͗͘̕o̸̧͎̜̘̭͛̈́̀̚͝';

export function hostileWorld(): World {
  const world = emptyWorld();
  const now = Date.now();
  const longName = 'Maximiliane-Friederike Schwarzenberg-Hohenlohe von und zu Altenst';
  const people = [
    { ...alice, profile: { ...alice.profile, name: longName } },
    { ...bob, profile: { ...bob.profile, name: 'A'.repeat(64) } },
    { ...carol, profile: { ...carol.profile, name: 'مرحبا بالعالم', emoji: '👨‍👩‍👧‍👦' } },
    { ...dan, profile: { ...dan.profile, name: ZALGO } },
    { ...erin, profile: { ...erin.profile, name: '<b>root</b> & "quotes"' } },
  ];
  world.me = { ...world.me, profile: { name: longName, emoji: '', color: 0 } };
  const [me, long, rtl, zalgo, markup] = people as [typeof alice, typeof alice, typeof alice, typeof alice, typeof alice];
  const room = story(world, 'hostile', 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeam', people, now - 2 * HOUR);
  room
    .line({ event: 'created', by: actor(me) })
    .line({ event: 'joined', who: actor(long), by: actor(me) })
    .says(long, 'w'.repeat(200))
    .says(long, `https://example.org/${'a'.repeat(180)}`)
    .says(rtl, 'هذه رسالة طويلة من اليمين إلى اليسار مع رقم 42 وكلمة English في الوسط.')
    .says(zalgo, `${ZALGO} ${ZALGO} ${ZALGO}`)
    .says(markup, '<img src=x onerror=alert(1)> <script>alert(2)</script> {@html boom} {{7*7}} ${7*7} javascript:alert(3)')
    .says(markup, `\`\`\`ts\nconst line = '${'x'.repeat(160)}';\nreturn line;\n\`\`\``)
    .says(me, '😀'.repeat(120))
    .line({ event: 'renamed', by: actor(markup), name: '"><svg onload=alert(1)>' })
    .line({ event: 'topicChanged', by: actor(long), topic: 't'.repeat(300) })
    .line({ event: 'refused', by: actor(zalgo) })
    .says(rtl, 'ok', quote('gone', long, 'w'.repeat(200)));
  room.tell({ topic: 't'.repeat(300), unread: 12_345, readPosition: 0 });
  const second = story(world, 'h2', ZALGO, people, now - 3 * HOUR);
  second.says(zalgo, ZALGO.repeat(4)).tell({ unread: 1 });
  story(world, 'h3', '‏غرفة الاجتماعات', people, now - 4 * HOUR).says(rtl, 'مرحبا').tell();
  world.place('hostile').knocks = [
    { id: 'k1', user: 'x', profile: { name: 'B'.repeat(64), emoji: '🧟', color: 7 }, invite: 'i', inviteCreated: now - DAY, at: now, verified: false },
  ];
  return world;
}

/** The full world behind a relay in trouble. */
export function withRelay(status: LinkStatus, world = fullWorld()): World {
  world.relays = [{ ...AWAY, status }];
  for (const place of world.places.values()) place.room = { ...place.room, relay: AWAY.address };
  world.builtIn = { ...world.builtIn, running: false };
  return world;
}
