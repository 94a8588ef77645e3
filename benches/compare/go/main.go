// Go's own channels, for the comparison. Reads runs from standard input, one a line:
//
//	SHAPE SENDERS RECEIVERS CAPACITY KIND MESSAGES PROCESSORS
//
// and answers each with the time in nanoseconds, the messages received, and "lost" or "ok", or with
// "-" if it cannot run it.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

type boxed = *uint64
type bytes256 = [32]uint64

// A kind of value: how to make one of a number, and the number of one.
type kind[V any] struct {
	make   func(uint64) V
	number func(V) uint64
}

var (
	words = kind[uint64]{
		func(n uint64) uint64 { return n },
		func(v uint64) uint64 { return v },
	}
	bytes = kind[bytes256]{
		func(n uint64) (v bytes256) {
			for i := range v {
				v[i] = n
			}
			return
		},
		func(v bytes256) uint64 { return v[0] },
	}
	boxes = kind[boxed]{
		func(n uint64) boxed { return &n },
		func(v boxed) uint64 { return *v },
	}
)

type run struct {
	senders, receivers, capacity, messages int
}

// What was sent or received.
type tally struct {
	count, sum uint64
}

func (t *tally) add(n uint64) {
	t.count++
	t.sum += n
}

type outcome struct {
	time           time.Duration
	sent, received tally
}

func fan[V any](r run, k kind[V]) (o outcome) {
	c := make(chan V, r.capacity)
	sent, received := make(chan tally), make(chan tally)
	share := (r.messages + r.senders - 1) / r.senders
	var awaited sync.WaitGroup
	awaited.Add(r.senders)
	start := time.Now()
	for i := 0; i < r.senders; i++ {
		go func() {
			awaited.Done()
			var t tally
			for n := 0; n < share; n++ {
				c <- k.make(uint64(n))
				t.add(uint64(n))
			}
			sent <- t
		}()
	}
	for i := 0; i < r.receivers; i++ {
		go func() {
			awaited.Wait()
			var t tally
			for v := range c {
				t.add(k.number(v))
			}
			received <- t
		}()
	}
	for i := 0; i < r.senders; i++ {
		t := <-sent
		o.sent.count += t.count
		o.sent.sum += t.sum
	}
	close(c)
	for i := 0; i < r.receivers; i++ {
		t := <-received
		o.received.count += t.count
		o.received.sum += t.sum
	}
	o.time = time.Since(start)
	return
}

func pingPong[V any](r run, k kind[V]) (o outcome) {
	there, back := make(chan V, r.capacity), make(chan V, r.capacity)
	go func() {
		for v := range there {
			back <- v
		}
	}()
	start := time.Now()
	for n := uint64(0); n < uint64(r.messages); n++ {
		there <- k.make(n)
		o.sent.add(n)
		o.received.add(k.number(<-back))
	}
	o.time = time.Since(start)
	close(there)
	return
}

func ready[V any](r run, k kind[V]) (o outcome) {
	c := make(chan V, r.capacity)
	start := time.Now()
	for n := uint64(0); n < uint64(r.messages); n++ {
		c <- k.make(n)
		o.sent.add(n)
		o.received.add(k.number(<-c))
	}
	o.time = time.Since(start)
	return
}

// One of the channels has values, the other none. Only the selects are timed.
func selectReady(r run) (o outcome) {
	a, b := make(chan uint64, r.capacity), make(chan uint64, r.capacity)
	for n := uint64(0); n < uint64(r.messages); a, b = b, a {
		for i := 0; i < r.capacity; i++ {
			a <- n
			o.sent.add(n)
			n++
		}
		start := time.Now()
		for i := 0; i < r.capacity; i++ {
			select {
			case v := <-a:
				o.received.add(v)
			case v := <-b:
				o.received.add(v)
			}
		}
		o.time += time.Since(start)
	}
	return
}

func selectPing(r run) (o outcome) {
	a, b := make(chan uint64, r.capacity), make(chan uint64, r.capacity)
	back := make(chan uint64, r.capacity)
	go func() {
		for a != nil || b != nil {
			select {
			case v, ok := <-a:
				if !ok {
					a = nil
					continue
				}
				back <- v
			case v, ok := <-b:
				if !ok {
					b = nil
					continue
				}
				back <- v
			}
		}
	}()
	there := [2]chan uint64{a, b}
	start := time.Now()
	for n := uint64(0); n < uint64(r.messages); n++ {
		there[n%2] <- n
		o.sent.add(n)
		o.received.add(<-back)
	}
	o.time = time.Since(start)
	close(there[0])
	close(there[1])
	return
}

func shaped[V any](shape string, r run, k kind[V]) (outcome, bool) {
	switch shape {
	case "fan":
		return fan(r, k), true
	case "ping-pong":
		return pingPong(r, k), true
	case "ready":
		return ready(r, k), true
	case "select-ready":
		return selectReady(r), true
	case "select-ping":
		return selectPing(r), true
	}
	return outcome{}, false
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var shape, kind string
		var r run
		var processors int
		_, err := fmt.Sscan(lines.Text(), &shape, &r.senders, &r.receivers, &r.capacity, &kind,
			&r.messages, &processors)
		if err != nil {
			panic(err)
		}
		runtime.GOMAXPROCS(processors)
		var o outcome
		var can bool
		switch kind {
		case "u64":
			o, can = shaped(shape, r, words)
		case "256":
			o, can = shaped(shape, r, bytes)
		case "boxed":
			o, can = shaped(shape, r, boxes)
		}
		switch {
		case !can:
			fmt.Println("-")
		case o.sent == o.received:
			fmt.Println(o.time.Nanoseconds(), o.received.count, "ok")
		default:
			fmt.Println(o.time.Nanoseconds(), o.received.count, "lost")
		}
	}
}
