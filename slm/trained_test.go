package slm

import (
	"reflect"
	"testing"
)

func TestTrained(t *testing.T) {
	teacher := smol(t)
	half, third := Subnet{Embd: First(288)}, Subnet{Embd: First(192)}
	p := Population{Teacher: teacher, Candidates: []Candidate{{ID: 0, Subnet: half, Loss: 9}, {ID: 1, Subnet: third, Loss: 8}}}
	run := func(name string, s Subnet, init Init, points ...Point) Curve {
		return Curve{Name: name, Teacher: teacher, Distillation: Distillation{Subnet: s, Init: init}, Points: points}
	}
	wide := half
	wide.Layers = []LayerSubnet{{Layer: 0, FFN: First(teacher.FFN)}} // no candidate
	got := p.Trained(
		run("a", third, FromTeacher, Point{Step: 5, Validation: 7}, Point{Step: 10}),
		run("b", half, FromTeacher, Point{Step: 10, Validation: 6}),
		run("random", half, FromRandom, Point{Step: 10, Validation: 5}),
		run("unmeasured", half, FromTeacher, Point{Step: 10}),
		run("other", wide, FromTeacher, Point{Step: 10, Validation: 4}))
	want := []Trained{{p.Candidates[1], "a", 10, 7}, {p.Candidates[0], "b", 10, 6}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
