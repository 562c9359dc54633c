// Fixed places behind the static data. The core has no state between calls but the plans and windows that `prepare`
// writes: all streams of a thread share one instance.

const block: usize = 16384;

function place(index: usize): usize {
  return ((__heap_base + 15) & ~usize(15)) + index * block;
}

export function plan1024(): usize {
  return place(0);
}

export function window1024(): usize {
  return place(1);
}

/** Two blocks. */
export function plan2048(): usize {
  return place(2);
}

export function window2048(): usize {
  return place(4);
}

/** Samples of the window to analyse; at most 2048. */
export function inputAddress(): usize {
  return place(5);
}

export function windowed(): usize {
  return place(6);
}

export function spectrumRe(): usize {
  return place(7);
}

export function spectrumIm(): usize {
  return place(8);
}

export function work(): usize {
  return place(9);
}

/** Result: one row of powers or levels. */
export function rowAddress(): usize {
  return place(10);
}

/** Result: the maxima of the row over its neighbours. */
export function rowMaximumAddress(): usize {
  return place(11);
}

/** A row with 15 cells of margin on either side. */
export function padded(): usize {
  return place(12);
}
