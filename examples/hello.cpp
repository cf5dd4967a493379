// SPDX-License-Identifier: BSL-1.0
#include <weir/weir.hpp>

#include <iostream>

void produce(weir::channel<double> numbers, int count) {
  for (int i = 1; i <= count; ++i) numbers.put(1.0 / i);  // waits while the channel is full
  numbers.close();
}

double add(weir::channel<double> numbers) {
  double sum = 0;
  for (double x : numbers) sum += x;  // takes until the channel is closed and drained
  return sum;
}

int main() {
  weir::session session;  // a worker serves calls here and never returns from this line
  auto workers = session.add_workers(2);
  weir::channel<double> numbers(16);  // shared: what one worker puts, the other takes
  weir::future<void> produced = workers[0].call(produce, numbers, 1000);
  double sum = workers[1].fetch(add, numbers);
  produced.get();
  std::cout << "worker 3 added the 1000 numbers that worker 2 put: " << sum << '\n';
}
