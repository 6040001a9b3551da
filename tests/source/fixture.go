// Package fixture has each kind of branch once: tests/test_source.py reads it.
package fixture

import "time"

type box struct{ full bool }

func plain() int {
	return 1
}

func (b *box) wait(stop chan struct{}, patience time.Duration) (err error) {
	defer func() {
		if err != nil && patience > 0*time.Second && patience < 24*time.Hour && b != nil {
			b.full = false
		}
	}()
	if b.full {
		return nil
	} else if err := b.fill(); err != nil {
		return err
	} else {
		b.full = true
	}
	select {
	case <-stop:
		return nil
	case <-time.After(patience):
	}
	switch {
	case b.full:
		err = b.fill()
	default:
	}
	go func() int {
		return 2
	}()
	return err
}

func (b box) fill() error {
	switch any(b).(type) {
	case error, *box:
		return nil
	}
	return nil
}
