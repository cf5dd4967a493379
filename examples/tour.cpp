// SPDX-License-Identifier: BSL-1.0
//
// The tutorial "Persistent storage on workers" for Julia's Distributed and Channel, step by step, in weir. Each line
// that begins with `>` in the output is a line of this file; beside it stands what one would write in Julia.
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include "transcript.hpp"
#include "weir/weir.hpp"

namespace {

using namespace std::chrono_literals;
using transcript::note;
using transcript::title;

// ---- what the workers are asked to do

void init_grid(std::size_t n) {
  std::vector<double> a(n);  // gone when the function returns
  std::cout << weir::any(a).type_name() << '\n';
}

void show_grid() {
  const auto a = weir::globals().get<std::vector<double>>("a");
  std::cout << "a = " << transcript::text(a) << '\n';
}

void init_array() {
  std::vector<int> a(10);
  std::iota(a.begin(), a.end(), 2);
  weir::globals().set("a", a);
}

void show_array() { std::cout << transcript::text(weir::globals().get<std::vector<int>>("a")) << '\n'; }

int calls = 0;
int count_call() { return ++calls; }

weir::channel<std::vector<double>> create_persistent_array() { return weir::channel<std::vector<double>>(1); }

void print_first(weir::channel<std::vector<double>> ch) { std::cout << transcript::text(ch.fetch()) << '\n'; }

double add_up(weir::channel<std::vector<double>> from) {
  double sum = 0;
  std::size_t count = 0;
  for (const std::vector<double>& v : from) {  // until it is closed and drained
    sum = std::accumulate(v.begin(), v.end(), sum);
    count += v.size();
  }
  std::cout << "took " << count << " doubles that process " << from.whence() << " put\n";
  return sum;
}

double hand_over(const weir::worker& to) {
  weir::channel<std::vector<double>> belt(2);
  weir::future<double> sum = to.call(add_up, belt);
  for (const double x : {1.0, 2.0, 3.0}) belt.put(std::vector<double>(100'000, x));
  belt.close();
  return sum.get();
}

std::vector<double> powers(double exponent) {
  std::vector<double> result(10);
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = std::pow(static_cast<double>(i + 1), exponent);
  return result;
}

// ---- the tour

void functions_and_globals(const weir::worker& w2) {
  title("A function keeps nothing from call to call");
  SHOW(w2.fetch(init_grid, 10));  // @fetchfrom 2 initGrid(10)
  SHOW(w2.fetch(show_grid));      // @fetchfrom 2 showGrid()

  title("A global does");
  SHOW(w2.call(init_array).get());         // @spawnat 2 initArray()
  SHOW(w2.global<std::vector<int>>("a"));  // @fetchfrom 2 a
  SHOW(w2.call(show_array).get());         // @spawnat 2 showArray()
  note("So does an ordinary C++ global: each process has its own.");
  SHOW(w2.fetch(count_call));
  SHOW(w2.fetch(count_call));
  SHOW(calls);
}

void local_channels() {
  title("A channel of size 2, which takes values of any type");
  RUN(weir::channel<weir::any> ch(2));  // ch = Channel(2)
  SHOW(ch.put("hello"));                // put!(ch, "hello")
  SHOW(ch.put("world"));                // put!(ch, "world")
  note("It is full: put() would wait until something is taken. With a timeout it gives up.");
  SHOW(ch.put_for("5", 100ms));  // put!(ch, "5")
  SHOW(ch);                      // ch
  SHOW(ch.peek());               // ch.data
  SHOW(ch.take());               // println(take!(ch))
  SHOW(ch.take());               // println(take!(ch))
  note("It is empty: take() would wait until something is put.");
  SHOW(ch.take_for(100ms));  // println(take!(ch))

  title("A channel of size 1 for vectors of double only");
  RUN(weir::channel<std::vector<double>> typed(1));  // ch = Channel{Vector{Float64}}(1)
  // typed.put(100);                    // put!(ch, 100)
  note("typed.put(100) does not compile: 100 is no std::vector<double>.");
  note("Where the compiler cannot know, there is an error: in a channel of any ...");
  SHOW(ch.put(100));
  RUN(const weir::any item = ch.take());
  SHOW(item.as<std::vector<double>>());
  SHOW(item.as<int>());
  note("... and when a channel is opened by its name as one of another type.");
  RUN(const std::string name = "tour-" + std::to_string(getpid()));
  RUN(auto named = weir::channel<std::vector<double>>::create(name, 1));
  SHOW(weir::channel<int>::open(name));
  RUN(weir::channel<std::vector<double>>::remove(name));

  note("The typed channel at work:");
  SHOW(typed.put(std::vector<double>(20)));  // put!(ch, zeros(20))
  SHOW(typed.peek());                        // ch.data
  SHOW(typed.take());                        // take!(ch)
  SHOW(typed.peek());                        // ch.data
  SHOW(typed.take_for(100ms));               // take!(ch)
}

void remote_channels(const weir::worker& w2) {
  title("Two channels made on worker 2, used from here");
  RUN(auto r1 = w2.fetch(create_persistent_array));  // r1 = @fetchfrom 2 createPersistentArray()
  RUN(auto r2 = w2.fetch(create_persistent_array));  // r2 = @fetchfrom 2 createPersistentArray()
  SHOW(std::vector{r1.where(), r2.where()});         // r1.where, r2.where
  SHOW(std::vector{r1.id(), r2.id()});               // r1.id, r2.id
  note("peek() works from every process, where Julia's r1.data does not.");
  SHOW(r1.peek());                     // r1.data
  SHOW(r1.put(powers(2)));             // put!(r1, [float(i^2) for i in 1:10])
  SHOW(r1.put_for(powers(3), 100ms));  // put!(r1, [float(i^3) for i in 1:10])
  SHOW(r2.put(powers(3)));             // put!(r2, [float(i^3) for i in 1:10])
  SHOW(r1);                            // r1
  SHOW(r1.fetch());                    // fetch(r1)
  SHOW(r1.take());                     // take!(r1)
  SHOW(r1);
  note("The work can also go where the data is.");
  SHOW(w2.call(print_first, r2).get());  // @spawnat 2 println(fetch(r2))
}

void worker_to_worker(weir::session& session, const weir::worker& w2) {
  title("Worker 2 hands data to worker 3; this process only waits for the answer");
  RUN(const weir::worker w3 = session.add_workers(1).front());
  SHOW(w2.fetch(hand_over, w3));
}

}  // namespace

int main() {
  weir::session session;  // a worker serves calls here and never returns from this line
  std::cout << "A tour of weir. Lines with > are C++ as it runs; what they print or give stands below them.\n";
  title("A worker, which is another process");
  RUN(const weir::worker w2 = session.add_workers(1).front());  // addprocs(1)
  SHOW(std::vector{weir::my_id(), w2.fetch(weir::my_id)});      // myid(), @fetchfrom 2 myid()
  functions_and_globals(w2);
  local_channels();
  remote_channels(w2);
  worker_to_worker(session, w2);
}
